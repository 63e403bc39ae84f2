// SPDX-License-Identifier: MIT
#include "run/login_prompt.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vmr {
namespace {

bool is_prompt(const std::string& text) {
  LoginPrompt prompt;
  for (const char c : text) prompt.take({&c, 1});
  return prompt.is_new();
}

TEST_CASE("a login prompt is a line that waits behind its word") {
  CHECK(is_prompt("\r\nDebian GNU/Linux 12 demo ttyS0\r\n\r\ndemo login: "));
  CHECK(is_prompt("(none) login:"));
  CHECK(is_prompt("\x1b[0mlogin: "));
  CHECK(is_prompt(std::string(5000, 'x') + " login: "));
  CHECK_FALSE(is_prompt(""));
  CHECK_FALSE(is_prompt("demo login: \r\n"));
  CHECK_FALSE(is_prompt("demo login: root"));
  CHECK_FALSE(is_prompt("Password: "));
  CHECK_FALSE(is_prompt("Last login: Mon Nov 30 08:00:00 on ttyS0"));
}

TEST_CASE("what is said at a login prompt is said again when it has left the screen") {
  LoginPrompt prompt;
  const auto asks_after = [&](int lines) {
    for (int i = 0; i < lines; ++i) prompt.take("a line\r\n");
    prompt.take("demo login: ");
    return prompt.is_new();
  };
  CHECK(asks_after(0));
  CHECK(prompt.line() == "demo login: ");
  prompt.told();
  CHECK_FALSE(prompt.is_new());
  prompt.take("x\r\nLogin incorrect\r\n");
  CHECK_FALSE(asks_after(0));
  CHECK(asks_after(24));
  CHECK(prompt.is_new());  // still nothing told
}

}  // namespace
}  // namespace vmr
