// SPDX-License-Identifier: MIT
// The C virtiofsd of this machine under Docker's default seccomp profile, which cannot work.
#include "support/container.hpp"

#include <doctest/doctest.h>

using namespace vmr::test;

TEST_CASE("the C virtiofsd is refused where seccomp blocks unshare with three ways out") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  auto options = c_virtiofsd_options(work);
  if (options.empty()) return;
  options.insert(options.end(), {"-e", "ACCEL=tcg", "-v", (work / "share") + ":/share"});
  const auto run = boot_in_container(work, "true\n", options);
  INFO(run.output << run.errors);
  CHECK_FALSE(run.ok);
  CHECK(run.errors ==
        "error: FILESYSTEM_DRIVER='virtiofs': this virtiofsd always calls unshare(2), and "
        "unshare(CLONE_FS) failed with EPERM, as a container's seccomp profile makes it\n"
        "  from:  FILESYSTEM_DRIVER (default)\n"
        "  hint:  use a virtiofsd written in Rust (Debian 13), or relax the container's seccomp "
        "profile (--security-opt seccomp=docker/seccomp-virtiofs.json, or seccomp=unconfined), or "
        "use FILESYSTEM_DRIVER=9p\n");
}
