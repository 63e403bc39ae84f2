// SPDX-License-Identifier: MIT
// Developing in a guest: sources of another owner, named volumes, read-only binds, and folders that
// are in the container only.
#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

/// What makes user 1000 the login user of the tiny guest: a bare kernel has no guest.toml that says
/// root logs in.
const std::vector<std::string> bare_kernel = {"-e", "BASE_IMAGE=",
                                              "-e", "KERNEL=/guest/vmlinux",
                                              "-e", "INITRD=/guest/initrd.img",
                                              "-e", "CMDLINE=console=ttyS0 quiet panic=-1",
                                              "-e", "ACCEL=tcg"};

std::vector<std::string> join_words(std::vector<std::string> first,
                                    const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// A folder of sources that only `owner` may enter.
void make_sources(const TemporaryFolder& work, uid_t owner) {
  const auto share = work / "share";
  fs::create_directories(share);
  write_text(share + "/main.c", "int main;\n");
  for (const auto& path : {share, share + "/main.c"}) {
    REQUIRE(::chown(path.c_str(), owner, owner) == 0);
  }
  REQUIRE(::chmod((share + "/main.c").c_str(), 0600) == 0);
  REQUIRE(::chmod(share.c_str(), 0700) == 0);
}

/// What an editor and a build do, as user 1000: save over a file by rename, make folders, programs
/// and links.
constexpr const char* edit = R"sh(
cat >/tmp/edit <<'END'
set -e
umask 022
cd /mnt/share
sed -i s/main/edited/ main.c
mkdir -p build
printf '#!/bin/sh\necho it runs\n' >build/program
chmod 755 build/program
ln -s program build/link
build/link
END
result=$(su guest -c 'sh /tmp/edit' 2>&1)
say "$? $result"
)sh";

/// A named volume for as long as this exists.
class Volume {
 public:
  Volume() : name_(fmt::format("vm-runner-test-{}", ::getpid())) {
    REQUIRE(run_docker({"volume", "create", name_}).ok);
  }
  ~Volume() { run_docker({"volume", "rm", "--force", name_}); }
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

constexpr const char* try_to_write = R"sh(
cd /mnt/share
say "$(grep -c ' /mnt/share .*[ (]ro,' /proc/mounts) $(cat from-host)"
for command in 'echo x >new' 'echo x >>from-host' 'mkdir folder' 'chmod 600 from-host'; do
  (eval "$command") 2>&1 | grep -q 'Read-only file system' && say "refused: $command"
done
)sh";

void check_nothing_written(const TemporaryFolder& work, const vmr::Captured& run) {
  INFO(run.output << run.errors);
  CHECK(run.ok);
  for (const auto* command : {"echo x >new", "echo x >>from-host", "mkdir folder", "chmod 600"}) {
    CHECK(says(run, fmt::format("SAY: refused: {}", command)));
  }
  CHECK(describe_file(work / "share/from-host") == "0:0 0644 'host\n'");
  CHECK(std::distance(fs::directory_iterator(work / "share"), {}) == 1);
}

void make_host_file(const TemporaryFolder& work) {
  fs::create_directories(work / "share");
  write_text(work / "share/from-host", "host\n");
  REQUIRE(::chmod((work / "share/from-host").c_str(), 0644) == 0);
}

}  // namespace

TEST_CASE("the guest's user edits and builds in a source folder of uid 501") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  make_sources(work, 501);
  const auto run = boot_in_container(work, edit,
                                     join_words(bare_kernel, {"-v", (work / "share") + ":/share",
                                                              "-e", "FILESYSTEM_OWNER=501:501"}));
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, "SAY: 0 it runs"));
  CHECK(describe_file(work / "share/main.c") == "501:501 0600 'int edited;\n'");
  CHECK(describe_file(work / "share/build") == "501:501 0755 ''");
  CHECK(describe_file(work / "share/build/program") == "501:501 0755 '#!/bin/sh\necho it runs\n'");
  CHECK(fs::read_symlink(work / "share/build/link") == "program");
}

TEST_CASE("without FILESYSTEM_OWNER such a folder is closed to the guest's user, as it is told") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  make_sources(work, 501);
  const auto run =
      boot_in_container(work, edit, join_words(bare_kernel, {"-v", (work / "share") + ":/share"}));
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, "Permission denied"));
  CHECK(says(run, "the guest's user 1000 cannot write there"));
  CHECK(describe_file(work / "share/main.c") == "501:501 0600 'int main;\n'");
}

TEST_CASE("a named volume keeps what a guest put into it for the next one") {
  if (!has_docker()) return;
  const Volume volume;
  const TemporaryFolder work;
  const std::vector<std::string> options = {"-v", volume.name() + ":/share"};
  const auto first = boot_in_container(work, "echo kept >/mnt/share/file\n", options);
  const auto second = boot_in_container(work, "say \"$(cat /mnt/share/file)\"\n", options);
  INFO(first.errors << second.output << second.errors);
  CHECK(first.ok);
  CHECK(second.ok);
  CHECK(says(second, "SAY: kept"));
}

TEST_CASE("a source bound read-only is read-only in the guest with either driver") {
  if (!has_docker()) return;
  for (const auto* driver : {"virtiofs", "9p"}) {
    CAPTURE(driver);
    const TemporaryFolder work;
    make_host_file(work);
    const auto run = boot_in_container(
        work, try_to_write,
        {"-v", (work / "share") + ":/share:ro", "-e", std::string("FILESYSTEM_DRIVER=") + driver});
    check_nothing_written(work, run);
  }
}

TEST_CASE("FILESYSTEM_READONLY=1 over a read-only bind is a read-only mount too") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  make_host_file(work);
  const auto run = boot_in_container(
      work, try_to_write, {"-v", (work / "share") + ":/share:ro", "-e", "FILESYSTEM_READONLY=1"});
  check_nothing_written(work, run);
  CHECK(says(run, "SAY: 1 host"));
}

TEST_CASE("a folder in memory can be shared, and one that there is not is made and said") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const auto run = boot_in_container(work,
                                     "for n in share other; do cp /proc/version /mnt/$n/f && say "
                                     "\"$n $(wc -l </mnt/$n/f)\"; done\n",
                                     {"--tmpfs", "/share", "-e", "FILESYSTEM2_SOURCE=/other"});
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, "SAY: share 1"));
  CHECK(says(run, "SAY: other 1"));
  CHECK(says(run, "Made the folder /other"));
  CHECK_FALSE(says(run, "Made the folder /share"));
}
