// SPDX-License-Identifier: MIT
// `vm-runner console` with a real guest that has a shell on its serial line.
#include "support/guest.hpp"
#include "support/terminal.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vmr::test;

TEST_CASE("two at the console share the guest's shell and the VM goes on without them") {
  Launcher launcher(join(tiny_settings(), {{"CMDLINE", "tiny.shell"}}));
  REQUIRE(launcher.wait_for_output("TINY: ready"));
  const Launcher::Variables settings = {{"XDG_RUNTIME_DIR", launcher.runtime_folder()}};
  Terminal first;
  Terminal second;
  const auto before = first.attributes();
  Launcher client(settings, {"console"}, first.details());
  Launcher other(settings, {"console"}, second.details());
  for (auto* terminal : {&first, &second}) {
    CHECK(terminal->read_to("TINY: ready").find("TINY: seed") != std::string::npos);
  }

  first.type("echo $((6 * 7)) from the first\r");
  for (auto* terminal : {&first, &second}) {
    CHECK(terminal->read_to("\n42 from the first\r").find("no '") == std::string::npos);
  }
  second.type("echo $((6 * 9)) from the second\r");
  for (auto* terminal : {&first, &second}) {
    CHECK(terminal->read_to("\n54 from the second\r").find("no '") == std::string::npos);
  }

  first.type("\x1d\x1d\x1d");
  CHECK(client.finish().status == 0);
  CHECK(are_equal(first.attributes(), before));
  Terminal again;
  Launcher late(settings, {"console"}, again.details());
  CHECK(again.read_to("\n42 from the first\r").find("TINY: ready") != std::string::npos);
  CHECK(again.read_to("\n54 from the second\r").find("no '") == std::string::npos);
  // The way out has left two of its keys on the line; Ctrl-C clears it.
  again.type(
      "\x03"
      "exit\r");
  for (auto* end : {&late, &other}) {
    const auto seen = end->finish();
    CHECK(seen.status == 0);
    CHECK(lines_of(seen.log).back() == "[INFO] VM 'vm' has ended");
  }
  CHECK(launcher.finish().status == 0);
}
