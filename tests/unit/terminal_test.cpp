// SPDX-License-Identifier: MIT
#include "run/terminal.hpp"

#include <doctest/doctest.h>

namespace vmr {
namespace {

using Typed = EscapeKeys::Typed;

TEST_CASE("every key goes to the guest at once") {
  EscapeKeys keys;
  CHECK(keys.take("") == Typed{"", false});
  CHECK(keys.take("ls\r") == Typed{"ls\r", false});
  CHECK(keys.take(std::string("\0\x03\x04\x1a\x1b\x1c\xff", 7)) ==
        Typed{std::string("\0\x03\x04\x1a\x1b\x1c\xff", 7), false});
}

TEST_CASE("three times in a row leaves") {
  EscapeKeys keys;
  CHECK(keys.take("a\x1d\x1d\x1d"
                  "b") == Typed{"a\x1d\x1d", true});
}

TEST_CASE("the three may come one by one") {
  EscapeKeys keys;
  CHECK(keys.take("\x1d") == Typed{"\x1d", false});
  CHECK(keys.take("\x1d") == Typed{"\x1d", false});
  CHECK(keys.take("") == Typed{"", false});
  CHECK(keys.take("\x1d") == Typed{"", true});
}

TEST_CASE("another key in between starts anew") {
  EscapeKeys keys;
  CHECK(keys.take("\x1d\x1dx\x1d\x1d") == Typed{"\x1d\x1dx\x1d\x1d", false});
  CHECK(keys.take("y\x1d") == Typed{"y\x1d", false});
  CHECK(keys.take("\x1d\x1d") == Typed{"\x1d", true});
}

TEST_CASE("one or two say what the next does") {
  EscapeKeys keys;
  const auto hint_after = [&](const char* typed) {
    keys.take(typed);
    return keys.hint("ends it");
  };
  CHECK(hint_after("ls").empty());
  CHECK(hint_after("x\x1d") == "Ctrl-] twice more ends it");
  CHECK(hint_after("\x1d") == "Ctrl-] once more ends it");
  CHECK(hint_after("x").empty());
  CHECK(hint_after("\x1d\x1d") == "Ctrl-] once more ends it");
  CHECK(hint_after("\x1d").empty());
}

TEST_CASE("after leaving the count starts anew") {
  EscapeKeys keys;
  CHECK(keys.take("\x1d\x1d\x1d").leave);
  CHECK(keys.take("\x1d\x1d") == Typed{"\x1d\x1d", false});
  CHECK(keys.take("\x1d\x1d") == Typed{"", true});
}

}  // namespace
}  // namespace vmr
