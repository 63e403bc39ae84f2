// SPDX-License-Identifier: MIT
#include "support/soak.hpp"

#include "support/guest.hpp"

#include <doctest/doctest.h>

using namespace vmr::test;

TEST_CASE("soak: 20 lives of a real guest leave nothing open and nothing in memory") {
  const TemporaryFolder host;
  soak(join(join(tiny_settings(),
                 {{"XDG_RUNTIME_DIR", host.path()}, {"NO_CONSOLE", "1"}, {"SSH_PORT", "0"}}),
            join(share(1, {{"SOURCE", host / "virtiofs"}}),
                 share(2, {{"SOURCE", host / "9p"}, {"DRIVER", "9p"}}))),
       20);
}
