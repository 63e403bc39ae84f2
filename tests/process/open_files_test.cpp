// SPDX-License-Identifier: MIT
#include "host/open_files.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

TEST_CASE("a process that may have more files open allows itself all of them") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{512, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  CHECK(vmr::open_files_limit() == before.rlim_max);
  vmr::raise_open_files();
  rlimit after{};
  CHECK(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(after.rlim_cur == before.rlim_max);
  CHECK(after.rlim_max == before.rlim_max);
  CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}
