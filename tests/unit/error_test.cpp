// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <doctest/doctest.h>

using namespace vmr;

TEST_CASE("a problem is told with its origin and a hint") {
  const Problem problem{
      "FILESYSTEM2_ACCESSMODE='mapped': virtiofs only supports passthrough accessmode",
      "FILESYSTEM2_ACCESSMODE (environment)", "set FILESYSTEM2_DRIVER=9p for 'mapped'"};
  CHECK(format(problem) ==
        "error: FILESYSTEM2_ACCESSMODE='mapped': virtiofs only supports passthrough accessmode\n"
        "  from:  FILESYSTEM2_ACCESSMODE (environment)\n"
        "  hint:  set FILESYSTEM2_DRIVER=9p for 'mapped'\n");
}

TEST_CASE("what a problem lacks is left out") {
  CHECK(format(Problem{"no", "", ""}) == "error: no\n");
  CHECK(format(Problem{"no", "MEMORY (default)", ""}) == "error: no\n  from:  MEMORY (default)\n");
  CHECK(format(Problem{"no", "", "do this"}) == "error: no\n  hint:  do this\n");
}

TEST_CASE("an error is told with its cause and a hint") {
  CHECK(format(Error{"cannot start qemu", "No such file or directory", "install it"}) ==
        "error: cannot start qemu\n  cause: No such file or directory\n  hint:  install it\n");
  CHECK(format(Error{"cannot start qemu", "", ""}) == "error: cannot start qemu\n");
}

TEST_CASE("hostile text cannot forge a line") {
  CHECK(format(Problem{"a\nerror: b", "c\n  hint:  d", "e\r\x1b[2J"}) ==
        "error: a\\nerror: b\n  from:  c\\n  hint:  d\n  hint:  e\\x0d\\x1b[2J\n");
  CHECK(format(Error{"{} %s %n", "{0}", "{:d}"}) ==
        "error: {} %s %n\n  cause: {0}\n  hint:  {:d}\n");
}

TEST_CASE("a wrong configuration outweighs an unable host") {
  const Problem usage{"a", "", "", ExitStatus::usage};
  const Problem host{"b", "", "", ExitStatus::host_unsupported};
  const Problem failed{"c", "", "", ExitStatus::failed};
  CHECK(exit_status_of({}) == ExitStatus::usage);
  CHECK(exit_status_of({usage}) == ExitStatus::usage);
  CHECK(exit_status_of({host, usage}) == ExitStatus::usage);
  CHECK(exit_status_of({host, failed}) == ExitStatus::host_unsupported);
  CHECK(exit_status_of({failed, host}) == ExitStatus::failed);
}

TEST_CASE("an error carries its message and status") {
  const Error by_default{"a", "b", "c"};
  CHECK(std::string(by_default.what()) == "a");
  CHECK(by_default.status == ExitStatus::failed);
  CHECK(Error("a", "b", "c", ExitStatus::usage).status == ExitStatus::usage);
}
