// SPDX-License-Identifier: MIT
// File systems of their own below a source: their files keep identities of their own in the guest.
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

/// A tmpfs at a folder, unmounted at the end.
class Tmpfs {
 public:
  explicit Tmpfs(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    works_ = ::mount("vm-runner-test", folder_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~Tmpfs() {
    if (works_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  Tmpfs(const Tmpfs&) = delete;
  Tmpfs& operator=(const Tmpfs&) = delete;

  [[nodiscard]] bool works() const { return works_; }

 private:
  std::string folder_;
  bool works_ = false;
};

}  // namespace

TEST_CASE("files of two file systems below one source are never taken for one file") {
  const TemporaryFolder host;
  const Tmpfs one(host / "s/a");
  const Tmpfs other(host / "s/b");
  if (!one.works() || !other.works()) {
    MESSAGE("SKIPPED: this process may not mount");
    return;
  }
  // The first file of each has the same number.
  write_text(host / "s/a/x", "of a");
  write_text(host / "s/b/x", "of b");
  const auto source = host / "s";
  auto settings = share(1, {{"SOURCE", source}, {"TARGET", "v"}, {"DRIVER", "virtiofs"}});
  int number = 1;
  for (const std::string multidevs : {"default", "remap", "forbid", "warn"}) {
    Launcher::Variables one_share = {{"SOURCE", source}, {"TARGET", multidevs}, {"DRIVER", "9p"}};
    if (multidevs != "default") one_share["MULTIDEVS"] = multidevs;
    settings = join(settings, share(++number, one_share));
  }

  const auto seen = boot(settings, R"sh(
    for share in v default remap forbid warn; do
      cd /mnt/$share
      a=$(stat -c %d:%i a/x) b=$(stat -c %d:%i b/x)
      [ "$a" = "$b" ] && apart='one identity' || apart=apart
      [ -n "$a" ] || apart=refused
      say "$share $apart, $(cat a/x), $(cat b/x)"
      cd /
    done
  )sh");

  CHECK(seen.status == 0);
  CHECK(seen.said == std::vector<std::string>{"v apart, of a, of b", "default apart, of a, of b",
                                              "remap apart, of a, of b", "forbid refused, , ",
                                              "warn one identity, of a, of b"});
}
