// SPDX-License-Identifier: MIT
// A guest's root against the shares of this machine: 9p, and virtiofs in each sandbox.
#include "support/containment.hpp"

#include "support/guest.hpp"
#include "support/this_machine.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vmr::test;

namespace {

std::vector<ContainedShare> shares() {
  const std::string family = has_c_virtiofsd() ? "C" : "Rust";
  auto shares = ninep_contained_shares(qemu_generation());
  for (const std::string sandbox : {"namespace", "chroot"}) {
    shares.push_back(virtiofs_contained_share(family, sandbox));
  }
  shares.push_back(control_share(shares.front()));
  shares.push_back(control_share(virtiofs_contained_share(family, "chroot")));
  return shares;
}

}  // namespace

TEST_CASE("a guest's root stays in the shared folder") {
  if (!has_landlock()) return;
  const Containment containment(shares());
  const auto plan = run_launcher(join(tiny_settings(), containment.settings()), {"args"});
  if (plan.status == 3) {
    MESSAGE("SKIPPED: this process may not have every sandbox: " << plan.log);
    return;
  }

  const auto seen = boot(containment.settings(), containment.script());

  INFO(seen.console);
  CHECK(seen.status == 0);
  CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
  containment.check(seen.console);
}
