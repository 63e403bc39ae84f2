// SPDX-License-Identifier: MIT
// The access modes as docs/filesystem-sharing.md says they were observed.
#include "support/access_modes.hpp"

#include "support/guest.hpp"
#include "support/read_only_mount.hpp"
#include "support/this_machine.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vmr::test;

namespace {

/// Why the launcher refuses virtiofs with `accessmode`.
std::string refusal(const std::string& accessmode) {
  const auto finished =
      run_launcher(share(1, {{"SOURCE", "/x"}, {"ACCESSMODE", accessmode}}), {"args"});
  CHECK(finished.status == 2);
  return AccessModes::refusal_in(finished.log);
}

}  // namespace

TEST_CASE("the access modes are as documented") {
  const AccessModes modes(has_c_virtiofsd() ? "virtiofs (C, QEMU 7.2)" : "virtiofs (Rust)",
                          qemu_generation());
  // The C daemon has no read-only mode of its own.
  const ReadOnlyMount mount(modes.readonly_virtiofs_source());
  if (!mount.works()) {
    MESSAGE("SKIPPED: this process may not mount: " << mount.reason());
    return;
  }
  CHECK(refusal("mapped") == refusal("squash"));

  const auto seen = boot(AccessModes::settings(modes.folder()), AccessModes::script());

  CHECK(seen.status == 0);
  CHECK(seen.log_with("mounted in the guest").size() == 9);
  CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
  modes.check_promises(seen.console);
  modes.check_table(seen.console, refusal("mapped"));
}
