// SPDX-License-Identifier: MIT
#include "base/printable.hpp"

#include "support/judge.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

namespace vmr::test {
namespace {

/// All of Unicode that is obeyed and not shown, each with its name in JSON; no surrogates.
const std::vector<std::pair<std::string, std::string>> obeyed = {
    {"\xc2\x80", "\\u0080"},     {"\xc2\x85", "\\u0085"},     {"\xc2\x9b", "\\u009b"},
    {"\xc2\x9f", "\\u009f"},     {"\xd8\x9c", "\\u061c"},     {"\xe2\x80\x8e", "\\u200e"},
    {"\xe2\x80\x8f", "\\u200f"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"},
    {"\xe2\x80\xaa", "\\u202a"}, {"\xe2\x80\xab", "\\u202b"}, {"\xe2\x80\xac", "\\u202c"},
    {"\xe2\x80\xad", "\\u202d"}, {"\xe2\x80\xae", "\\u202e"}, {"\xe2\x81\xa6", "\\u2066"},
    {"\xe2\x81\xa7", "\\u2067"}, {"\xe2\x81\xa8", "\\u2068"}, {"\xe2\x81\xa9", "\\u2069"}};

/// Their neighbours, and what people write.
constexpr const char* shown =
    "größe 中 \\n '\" \xc2\xa0 \xd8\x9b \xd8\x9d \xe2\x80\x8d \xe2\x80\x90 \xe2\x80\xa7 "
    "\xe2\x80\xaf "
    "\xe2\x81\xa5 \xe2\x81\xaa \xe0\xa0\x9b \xf0\x9f\x98\x80";

TEST_CASE("on one line what a terminal would obey is written out and nothing else") {
  CHECK(on_one_line("a\tb\nc") == "a\\tb\\nc");
  CHECK(on_one_line(std::string_view("\0\x01\x1b\x1f\x7f", 5)) == "\\x00\\x01\\x1b\\x1f\\x7f");
  for (const auto& [raw, name] : obeyed) CHECK(on_one_line("a" + raw + "b") == "a" + name + "b");
  CHECK(on_one_line(shown) == shown);
  CHECK(on_one_line("").empty());
  CHECK(on_one_line(std::string(100000, '\n')).size() == 200000);
}

TEST_CASE("on one line bytes that are not UTF-8 do not become commands of a terminal") {
  // Alone, behind a whole character, in a form that is too long, and where a character is cut off.
  CHECK(on_one_line("\x9b"
                    "31m \xe0\xa0\x9b\x9b \xc0\x9b \xe2\x80") ==
        "\\x9b31m \xe0\xa0\x9b\\x9b \xc0\\x9b \xe2\\x80");
  CHECK(on_one_line("\xff\xa0\xe9") == "\xff\xa0\xe9");
}

TEST_CASE("what is printable stays as it is") {
  const std::string hostile = "\x1b]0;t\x07\xc2\x9b\xe2\x80\xae\n\x80 \\";
  CHECK(on_one_line(on_one_line(hostile)) == on_one_line(hostile));
}

TEST_CASE("JSON names what a terminal would obey and its reader gets it back") {
  for (const auto& [raw, name] : obeyed) {
    CHECK(json_line({{"a" + raw, raw}}) == "{\"a" + name + "\":\"" + name + "\"}\n");
    CHECK(boost::json::parse(json_line(boost::json::value(raw))).as_string() == raw);
  }
  CHECK(json_line(boost::json::value("\x7f\x1b\n")) == "\"\\u007f\\u001b\\n\"\n");
  CHECK(json_line(boost::json::value("a\xff\x9b")) == "\"a\xef\xbf\xbd\xef\xbf\xbd\"\n");
  boost::json::array words;
  words.emplace_back(shown);
  CHECK(boost::json::parse(json_line(words)) == words);
}

}  // namespace
}  // namespace vmr::test
