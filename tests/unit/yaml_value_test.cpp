// SPDX-License-Identifier: MIT
#include "spec/yaml_value.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <utility>

namespace vmr {
namespace {

/// As JSON would have it, with the type in front of scalars that are no texts.
std::string show(const YamlValue& value) {
  using Kind = YamlValue::Kind;
  std::string text;
  switch (value.kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "bool " + value.text;
    case Kind::integer:
      return "int " + value.text;
    case Kind::text:
      return value.text;
    case Kind::list:
      for (const auto& item : value.items) text += (text.empty() ? "" : ", ") + show(item);
      return "[" + text + "]";
    case Kind::map:
      for (const auto& [key, entry] : value.entries) {
        text += (text.empty() ? "" : ", ") + (key.starts_with('\0') ? "!" + key.substr(1) : key) +
                ": " + show(entry);
      }
      return "{" + text + "}";
  }
  return {};
}

/// What it is, or "problem: …".
std::string read(const std::string& text) {
  const auto document = read_yaml(text);
  return document.problem.empty() ? show(document.value) : "problem: " + document.problem;
}

using Rows = std::vector<std::pair<std::string, std::string>>;

void check(const Rows& rows) {
  for (const auto& [text, expected] : rows) {
    CAPTURE(text);
    CHECK(read(text) == expected);
  }
}

TEST_CASE("scalars are what YAML 1.1 says") {
  check(
      {{"[yes, Yes, YES, on, True]", "[bool True, bool True, bool True, bool True, bool True]"},
       {"[no, Off, FALSE]", "[bool False, bool False, bool False]"},
       {"[y, n, yEs, tRUE]", "[y, n, yEs, tRUE]"},
       {"[\"yes\", 'no', ~, null, Null, '', nULL]", "[yes, no, null, null, null, , nULL]"},
       {"[1, 0x1, 0b1, 01, +1, -1, 1_0, 0, 010, 08, 1.0, 1:30, 0x, +]",
        "[int 1, int 1, int 1, int 1, int 1, int -1, int 10, int 0, int 8, 08, 1.0, 1:30, 0x, +]"},
       {"99999999999999999999999", "int 99999999999999999999999"},
       {"[!!str 1, !!bool yes, !!int \"0x10\", !!null x, !!binary aGk=]",
        "[1, bool True, int 16, null, hi]"},
       {"", "null"},
       {"# nothing\n", "null"},
       {"|\n a\n b\n", "a\nb\n"}});
}

TEST_CASE("of doubled keys the last counts, and keys have types") {
  check({{"{a: 1, b: 2, \"a\": 3}", "{a: int 3, b: int 2}"},
         {"{1: a, \"1\": b, ~: c, yes: d}", "{!: c, !1: a, !True: d, 1: b}"}});
}

TEST_CASE("merges are done, and what a map has itself counts more") {
  check({{"x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x}",
          "{x: {a: int 1, b: int 2}, y: {a: int 1, b: int 3}}"},
         {"x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}",
          "{x: {a: int 1}, y: {a: int 2, b: int 2}, z: {a: int 1, b: int 2}}"},
         {"{<<: {a: 1}, <<: {a: 2}}", "{a: int 2}"},
         {"{\"<<\": {a: 1}}", "{<<: {a: int 1}}"},
         {"{<<: 1}", "problem: line 1: '<<' with what is no map"},
         {"{<<: [1]}", "problem: line 1: '<<' with what is no map"}});
}

TEST_CASE("what PyYAML does not read is a problem") {
  check(
      {{"a: 1\n---\nb: 2\n", "problem: it has more than one document"},
       {"---\na: 1\n...\n", "{a: int 1}"},
       {"a: !foo 1", "problem: line 1: a value of an unknown type, !foo"},
       {"a:\n  !!python/object:x {b: 1}",
        "problem: line 2: a value of an unknown type, tag:yaml.org,2002:python/object:x"},
       {"? [a]\n: 1\n", "problem: line 2: a key that is a list or a map"},
       {"a: &a [*a]", "problem: line 1: an alias of what it is in"},
       {"a: \"\xff\"", "problem: it is not UTF-8"},
       {std::string("a: \0b", 5), "problem: it has control characters"},
       {"a: !!bool maybe", "problem: line 1: a value of an unknown type, tag:yaml.org,2002:bool"}});
  CHECK(read("a: [\n").starts_with("problem: line "));
  CHECK(read("a: *b\n").starts_with("problem: line "));
  CHECK(read(std::string(100'000, '[')).starts_with("problem: line "));
}

TEST_CASE("a tab is taken where PyYAML takes it") {
  for (const std::string text : {"a:\tb", "- a\n-\tb", "{a: 1,\tb: 2}", "a: 'x'\n\t\nb: 1",
                                 "a: b\tc", "a: b\t# c", "a: b\t\n", "a: |\n  x\n\t\n  y",
                                 "a: |\t\n  x", "\ta: b", "a:\n\t- b", "a: b\n\t c", "[a\t, b]"}) {
    CAPTURE(text);
    CHECK_FALSE(read_yaml(text).problem.empty());
  }
  check({{"a: \"x\ty\"", "{a: x\ty}"},
         {"a: 'x\ty'", "{a: x\ty}"},
         {"a: b # x\ty", "{a: b}"},
         {"a: |\n  \tx\n  y\tz\n", "{a: \tx\ny\tz\n}"}});
}

TEST_CASE("aliases of aliases have an end") {
  std::string text = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto name = "*a" + std::to_string(i - 1);
    text += "- &a" + std::to_string(i) + " [" + name;
    for (int j = 0; j < 9; ++j) text += ", " + name;
    text += "]\n";
  }
  CHECK(read(text) == "problem: line 7: too many values");

  std::string deep = "- &a0 [x]\n";
  for (int i = 1; i < 1500; ++i) {
    deep += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK(read(deep) == "problem: line 1000: too many values in each other");
}

TEST_CASE("what cloud-init takes for true") {
  for (const auto* text : {"yes", "1", "\" On \"", "0x1", "'TRUE'", "\"1\""}) {
    CAPTURE(text);
    CHECK(is_true(read_yaml(text).value));
  }
  for (const auto* text : {"no", "2", "y", "~", "[1]", "{a: 1}", "1.0", "enabled", "'1.'"}) {
    CAPTURE(text);
    CHECK_FALSE(is_true(read_yaml(text).value));
  }
}

}  // namespace
}  // namespace vmr
