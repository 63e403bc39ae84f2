// SPDX-License-Identifier: MIT
// What the guest is told to run for a command; tests/process runs the script.
#include "plan/exec_script.hpp"

#include "base/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace vmr {
namespace {

TEST_CASE("each stream of a command has a port of its own") {
  CHECK(exec_port(1, "in") == "org.vm-runner.exec.1.in");
  CHECK(exec_port(12, "err") == "org.vm-runner.exec.12.err");
  CHECK(exec_streams == std::array<std::string_view, 3>{"in", "out", "err"});
}

TEST_CASE("an exec script begins with what it is about and is printable ASCII") {
  const auto script = exec_script(7, "~0123abcd", "echo 'a b'");
  CHECK(
      script.starts_with("ports=org.vm-runner.exec.7\n"
                         "token='~0123abcd'\n"
                         "set -- echo 'a b'\n"
                         "export HOME=\"${HOME:-/root}\"\n"));
  CHECK(std::all_of(script.begin(), script.end(),
                    [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
}

TEST_CASE("an exec script is the same but for that") {
  const auto behind = [](const std::string& script) {
    return script.substr(script.find("\nexport HOME"));
  };
  CHECK(behind(exec_script(1, "~1", "true")) == behind(exec_script(2, "~2", "{ }%s\\")));
  CHECK(behind(exec_script(1, "~1", "true")).find("{{") == std::string::npos);
}

TEST_CASE("a command that is too long for the agent is refused") {
  CHECK_NOTHROW(check_exec_command(std::string(60'000, 'x')));
  try {
    check_exec_command(std::string(60'001, 'x'));
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(format(error) ==
          "error: the command has 60001 bytes as shell words, more than 60000\n"
          "  hint:  send a script on standard input: vm-runner exec -- sh <script\n");
  }
}

}  // namespace
}  // namespace vmr
