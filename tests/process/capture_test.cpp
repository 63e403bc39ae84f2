// SPDX-License-Identifier: MIT
#include "host/capture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace vmr::test {
namespace {

using std::chrono::milliseconds;

Captured run_shell(const std::string& script, milliseconds limit) {
  return capture({"/bin/sh", "-c", script}, "input", limit);
}

TEST_CASE("a program within its limit") {
  const auto run = run_shell("cat; echo oops >&2; exit 3", std::chrono::minutes(1));
  CHECK(run.ran);
  CHECK_FALSE(run.ok);
  CHECK_FALSE(run.timed_out);
  CHECK(run.output == "input");
  CHECK(run.errors == "oops\n");
}

TEST_CASE("a program that only tells something is in a session of its own") {
  // The sixth word of /proc/PID/stat is the session.
  const std::string script =
      "read -r _ _ _ _ _ session _ < /proc/$$/stat; test $session = $$ && pwd";
  CHECK(run_shell(script, std::chrono::minutes(1)).output == "/\n");
}

TEST_CASE("a program that hangs is killed at its limit") {
  // With its streams open, and with both closed.
  for (const std::string streams : {"", ">&- 2>&-"}) {
    const auto run = run_shell("echo early; exec sleep 1000 " + streams, milliseconds(300));
    CHECK(run.ran);
    CHECK(run.timed_out);
    CHECK_FALSE(run.ok);
    CHECK(run.output == "early\n");
  }
}

TEST_CASE("a program that writes without end is killed before its limit") {
  const auto run = run_shell("exec yes", std::chrono::minutes(10));
  CHECK(run.timed_out);
  CHECK(run.output.size() > (std::size_t{16} << 20));
  CHECK(run.output.size() < (std::size_t{17} << 20));
}

}  // namespace
}  // namespace vmr::test
