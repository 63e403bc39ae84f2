// SPDX-License-Identifier: MIT
// A guest's root against the shares of Debian 13: 9p, and the Rust virtiofsd in each sandbox.
#include "support/containment.hpp"

#include "build_paths.hpp"
#include "support/container.hpp"
#include "support/guest.hpp"
#include "support/this_machine.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vmr::test;

namespace {

using Strings = std::vector<std::string>;

std::vector<ContainedShare> shares() {
  auto shares = ninep_contained_shares("QEMU 10");
  for (const std::string sandbox : {"namespace", "chroot", "none"}) {
    shares.push_back(virtiofs_contained_share("Rust", sandbox));
  }
  auto mounted = virtiofs_contained_share("Rust", "chroot");
  mounted.tag = "mounted";
  mounted.column = "virtiofs (Rust), chroot, a mount of its own";
  mounted.settings["SOURCE"] = "/mounted";
  shares.push_back(mounted);
  shares.push_back(control_share(shares.front()));
  shares.push_back(control_share(virtiofs_contained_share("Rust", "chroot")));
  return shares;
}

}  // namespace

TEST_CASE("a guest's root stays in the shared folder of Debian 13's virtiofsd and QEMU") {
  if (!has_docker() || !has_landlock()) return;
  const Containment containment(shares(), "/shares");
  const TemporaryFolder work;
  // The namespace sandbox needs these.
  Strings options = {"--cap-add",
                     "SYS_ADMIN",
                     "--security-opt",
                     "seccomp=" SOURCE_FOLDER "/docker/seccomp-virtiofs.json",
                     "--security-opt",
                     "apparmor=unconfined",
                     "-e",
                     "ACCEL=tcg",
                     "-v",
                     containment.folder() + ":/shares",
                     "-v",
                     containment.folder() + "/mounted/inside:/mounted"};
  for (const auto& [name, value] : containment.settings()) {
    options.insert(options.end(), {"-e", name + "=" + value});
  }

  const auto run = boot_in_container(work, containment.script(), options);

  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, "SANDBOX='none': virtiofsd runs without a sandbox"));
  containment.check(run.output);
}
