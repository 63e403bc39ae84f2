// SPDX-License-Identifier: MIT
#include "run/line_splitter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vmr {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("lines come out as they are completed") {
  LineSplitter lines;
  CHECK(lines.feed("one\ntw") == Lines{"one"});
  CHECK(lines.feed("o") == Lines{});
  CHECK(lines.feed("\n\nthree\n") == Lines{"two", "", "three"});
  CHECK(lines.finish() == std::nullopt);
}

TEST_CASE("the last line needs no newline") {
  LineSplitter lines;
  CHECK(lines.feed("one\ntwo") == Lines{"one"});
  CHECK(lines.finish() == "two");
  CHECK(lines.finish() == std::nullopt);
}

TEST_CASE("bytes that are not text stay as they are") {
  LineSplitter lines;
  const std::string bytes("\0\r\xff\x1b[0m", 7);
  CHECK(lines.feed(bytes + "\n") == Lines{bytes});
}

TEST_CASE("a line of exactly the longest length is kept whole") {
  LineSplitter lines;
  const std::string line(4096, 'x');
  CHECK(lines.feed(line + "\n") == Lines{line});
}

TEST_CASE("a longer line is cut and the next one is whole again") {
  LineSplitter lines;
  for (int i = 0; i < 1000; ++i) CHECK(lines.feed(std::string(999, 'x')) == Lines{});
  CHECK(lines.feed("\nnext\n") == Lines{std::string(4093, 'x') + "…", "next"});
}

TEST_CASE("a character is never cut in two") {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    LineSplitter lines;
    std::string line(shift, 'x');
    while (line.size() < 5000) line += "🙂";
    const auto whole_characters = (4093 - shift) / 4;
    CHECK(lines.feed(line + "\n") == Lines{line.substr(0, shift + 4 * whole_characters) + "…"});
  }
}

TEST_CASE("continuation bytes without a character are cut all the same") {
  LineSplitter lines;
  CHECK(lines.feed(std::string(5000, '\x80') + "\n") == Lines{std::string(4090, '\x80') + "…"});
}

}  // namespace
}  // namespace vmr
