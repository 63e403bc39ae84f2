// SPDX-License-Identifier: MIT
// What the processes of a real VM may do, as the kernel tells it.
#include "support/security.hpp"

#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

/// The tiny guest, a runtime folder and sources in a folder that nobody else may enter, as below
/// root's home.
class ClosedPlace {
 public:
  ClosedPlace() {
    ::chmod(folder_.path().c_str(), 0700);
    fs::create_directory(folder_ / "run");
    fs::copy(fs::canonical(tiny_guest()), folder_ / "guest", fs::copy_options::recursive);
    for (const auto& entry : fs::directory_iterator(folder_ / "guest")) {
      ::chmod(entry.path().c_str(), 0644);
    }
  }

  [[nodiscard]] Launcher::Variables settings(const Launcher::Variables& shares) const {
    return join(join(tiny_settings(), {{"BASE_IMAGE", folder_ / "guest"},
                                       {"CMDLINE", "tiny.stay"},
                                       {"XDG_RUNTIME_DIR", folder_ / "run"}}),
                shares);
  }

  [[nodiscard]] std::string source(const std::string& name) const { return folder_ / name; }

  /// What the running VM's processes may do; then it is stopped.
  std::string security_of(const Launcher::Variables& shares) const {
    Launcher launcher(settings(shares));
    REQUIRE(launcher.wait_for_output("TINY: ready"));
    const auto ask = [&](const std::vector<std::string>& words) {
      return Launcher({{"XDG_RUNTIME_DIR", folder_ / "run"}}, words).finish();
    };
    const auto told = ask({"status", "--security", "--format=json"});
    CHECK(told.status == 0);
    const auto shown = ask({"doctor", "--set", "BASE_IMAGE=" + (folder_ / "guest")});
    CHECK(shown.output.find("\nprocesses\n  ok    launcher ") != std::string::npos);
    CHECK(ask({"stop"}).status == 0);
    const auto finished = launcher.finish();
    CHECK_MESSAGE(finished.status == 0, finished.log);
    return told.output;
  }

 private:
  TemporaryFolder folder_;
};

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("SKIPPED: only root has something to take away");
  return false;
}

}  // namespace

TEST_CASE("each process of a VM is left with what the documentation tells") {
  if (!is_root()) return;
  const ClosedPlace place;
  check_security(
      place.security_of(join(share(1, {{"SOURCE", place.source("a")}}),
                             share(2, {{"SOURCE", place.source("b")}, {"SANDBOX", "chroot"}}))),
      "host");
}

TEST_CASE("with 9p passthrough QEMU is root with the capabilities that the documentation tells") {
  if (!is_root()) return;
  const ClosedPlace place;
  check_security(place.security_of(share(1, {{"SOURCE", place.source("a")}, {"DRIVER", "9p"}})),
                 "host, 9p passthrough");
}

TEST_CASE("with 9p mapped in a folder of its own QEMU has no capability") {
  if (!is_root()) return;
  const ClosedPlace place;
  const auto source = place.source("a");
  fs::create_directory(source);
  // What GUEST_NAME=vm gives.
  constexpr uid_t own_user = 60914;
  REQUIRE(::chown(source.c_str(), own_user, own_user) == 0);
  check_security(
      place.security_of(share(1, {{"SOURCE", source}, {"DRIVER", "9p"}, {"ACCESSMODE", "mapped"}})),
      "host, 9p mapped");
}
