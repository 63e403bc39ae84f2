// SPDX-License-Identifier: MIT
// The access modes as docs/filesystem-sharing.md says they were observed.
#include "support/access_modes.hpp"

#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/guest.hpp"
#include "support/read_only_mount.hpp"

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

/// The QEMU of this host, as the document's table names it.
std::string qemu() {
  const auto version = vmr::capture({vmr::find_in_path("qemu-system-x86_64"), "--version"});
  REQUIRE(version.ok);
  return version.output.find(" 7.2") == version.output.npos ? "QEMU 10" : "QEMU 7.2";
}

}  // namespace

TEST_CASE("the access modes are as documented") {
  std::string problem;
  const auto daemon = vmr::find_virtiofsd("/nonexistent", problem);
  REQUIRE_MESSAGE(daemon.has_value(), problem);
  const bool is_c = daemon->family == vmr::VirtiofsdFacts::Family::c;
  const AccessModes modes(is_c ? "virtiofs (C, QEMU 7.2)" : "virtiofs (Rust)", qemu());
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
