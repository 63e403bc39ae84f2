// SPDX-License-Identifier: MIT
// The C virtiofsd of this machine under Docker's default seccomp profile, which cannot work.
#include "host/programs.hpp"
#include "support/container.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

using namespace vmr::test;

TEST_CASE("the C virtiofsd is refused where seccomp blocks unshare with three ways out") {
  if (!has_docker()) return;
  std::string problem;
  const auto daemon = vmr::find_virtiofsd("/nonexistent", problem);
  if (!daemon || daemon->family != vmr::VirtiofsdFacts::Family::c) {
    MESSAGE("SKIPPED: this machine has no C virtiofsd to try");
    return;
  }
  const TemporaryFolder work;
  write_text(work / "c.json", R"({"type": "fs", "binary": "/usr/libexec/c-virtiofsd"})");
  const auto run = boot_in_container(work, "true\n",
                                     {"-e", "ACCEL=tcg", "-v", (work / "share") + ":/share", "-v",
                                      daemon->path + ":/usr/libexec/c-virtiofsd:ro", "-v",
                                      (work / "c.json") + ":/etc/qemu/vhost-user/00-c.json:ro"});
  INFO(run.output << run.errors);
  CHECK_FALSE(run.ok);
  CHECK(run.errors ==
        "error: FILESYSTEM_DRIVER='virtiofs': this virtiofsd always calls unshare(2), and "
        "unshare(CLONE_FS) failed with EPERM, as a container's seccomp profile makes it\n"
        "  from:  FILESYSTEM_DRIVER (default)\n"
        "  hint:  use a virtiofsd written in Rust (Debian 13), or relax the container's seccomp "
        "profile (--security-opt seccomp=unconfined), or use FILESYSTEM_DRIVER=9p\n");
}
