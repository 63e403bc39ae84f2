// SPDX-License-Identifier: MIT
// The image on Debian 13, with its Rust virtiofsd, under Docker's default seccomp profile.
#include "support/container.hpp"

#include "support/access_modes.hpp"
#include "support/guest.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace vmr::test;

}  // namespace

TEST_CASE("virtiofs works in a plain docker run without any privilege") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  fs::create_directories(work / "share");
  std::ofstream(work / "share/from-host") << "hello guest\n";
  const auto run = boot_in_container(work,
                                     "cat /mnt/share/from-host\n"
                                     "echo hello host >/mnt/share/from-guest\n"
                                     "chown 1234:1235 /mnt/share/from-guest\n",
                                     {"-v", (work / "share") + ":/share", "-e", "LOG_VERBOSE=1"});
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, "--sandbox chroot"));
  CHECK(says(run, "[INFO] Filesystem #1: mounted in the guest at /mnt/share"));
  CHECK(says(run, "hello guest"));
  CHECK(read_file(work / "share/from-guest") == "hello host\n");
  struct stat written {};
  REQUIRE(::stat((work / "share/from-guest").c_str(), &written) == 0);
  CHECK(written.st_uid == 1234);
  CHECK(written.st_gid == 1235);
}

TEST_CASE("the Rust virtiofsd enforces a read-only share on the host") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const auto run =
      boot_in_container(work,
                        "mount -o remount,rw /mnt/share\n"
                        "echo bad >/mnt/share/bad || echo refused as it should\n",
                        {"-v", (work / "share") + ":/share", "-e", "FILESYSTEM_READONLY=1"});
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, "(read-only, driver=virtiofs"));
  CHECK(says(run, "refused as it should"));
  CHECK_FALSE(fs::exists(work / "share/bad"));
}

TEST_CASE("9p mapped works in a plain docker run") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const auto run =
      boot_in_container(work, "su guest -c 'echo hello >/mnt/share/by-guest'\n",
                        {"-v", (work / "share") + ":/share", "-e", "FILESYSTEM_DRIVER=9p", "-e",
                         "FILESYSTEM_ACCESSMODE=mapped"});
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(read_file(work / "share/by-guest") == "hello\n");
}

TEST_CASE("a wrong access mode is refused before anything starts with status 2") {
  if (!has_docker()) return;
  const auto run = run_docker({"run", "--rm", "-e", "FILESYSTEM_SOURCE=/x", "-e",
                               "FILESYSTEM_ACCESSMODE=mapped", built_image(), "args"});
  CHECK_FALSE(run.ok);
  CHECK(says(run, "FILESYSTEM_ACCESSMODE='mapped': virtiofs only supports passthrough accessmode"));
}

TEST_CASE("the access modes in a container are as documented") {
  if (!has_docker()) return;
  const AccessModes modes("virtiofs (Rust)", "QEMU 10");
  std::vector<std::string> options = {"-v", modes.folder() + ":/shares", "-e", "ACCEL=tcg"};
  for (const auto& [name, value] : AccessModes::settings("/shares")) {
    options.insert(options.end(), {"-e", fmt::format("{}={}", name, value)});
  }
  const auto refused = run_docker({"run", "--rm", "-e", "FILESYSTEM_SOURCE=/x", "-e",
                                   "FILESYSTEM_ACCESSMODE=squash", built_image(), "args"});
  const TemporaryFolder work;

  const auto run = boot_in_container(work, AccessModes::script(), options);

  INFO(run.output << run.errors);
  CHECK(run.ok);
  modes.check_promises(run.output);
  modes.check_table(run.output, AccessModes::refusal_in(refused.errors));
}
