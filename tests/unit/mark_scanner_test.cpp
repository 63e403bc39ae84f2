// SPDX-License-Identifier: MIT
#include "run/mark_scanner.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vmr {
namespace {

using Found = MarkScanner::Found;
using namespace std::string_literals;

const std::string token = "~0011223344556677";

/// What a new scanner finds in `pieces`, with what it holds back to the end.
Found scan(const std::vector<std::string>& pieces, const std::string& its_token = token) {
  MarkScanner scanner(its_token);
  Found all;
  for (const auto& piece : pieces) {
    const auto found = scanner.feed(piece);
    all.data += found.data;
    all.marks.insert(all.marks.end(), found.marks.begin(), found.marks.end());
  }
  all.data += scanner.finish();
  return all;
}

/// Scans `text` whole, cut at each place, and byte by byte: always with the same result.
void check_everywhere(const std::string& text, const Found& expected) {
  CHECK(scan({text}) == expected);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    CHECK(scan({text.substr(0, cut), text.substr(cut)}) == expected);
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  CHECK(scan(bytes) == expected);
}

TEST_CASE("marks are taken out wherever the stream is cut") {
  check_everywhere(token + "-\nsome output\n" + token + "7\nmore" + token + "\n",
                   {"some output\nmore", {"-", "7", ""}});
  check_everywhere("a" + token + "255\n" + token + "\nb", {"ab", {"255", ""}});
}

TEST_CASE("a stream without output is its marks only") {
  check_everywhere("", {"", {}});
  check_everywhere(token + "0\n" + token + "\n", {"", {"0", ""}});
}

TEST_CASE("what only begins like a mark is output") {
  for (const auto& text :
       {token, token + "12", token + "1234\n", token + "x\n", token + " \n", token + "1\0\n"s,
        token.substr(0, 16), token.substr(0, 16) + token.substr(0, 16), "~~" + token.substr(1),
        token + token, "\n" + token + "'''1\n"}) {
    CAPTURE(text);
    check_everywhere(text, {text, {}});
  }
}

TEST_CASE("a mark behind what only begins like one is a mark") {
  check_everywhere(token.substr(0, 9) + token + "1\n", {token.substr(0, 9), {"1"}});
  check_everywhere(token + token + "1\n", {token, {"1"}});
  check_everywhere(token + "12" + token + "\n", {token + "12", {""}});
  check_everywhere("~~" + token + "1\n~", {"~~~", {"1"}});
}

TEST_CASE("a token that repeats itself is found") {
  CHECK(scan({"aa", "aaab", "1\n"}, "aaab") == Found{"aa", {"1"}});
  CHECK(scan({"ababab", "ac\n"}, "abac") == Found{"abab", {""}});
}

TEST_CASE("every byte is output") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  check_everywhere(all + token + "0\n" + all, {all + all, {"0"}});
}

TEST_CASE("output passes at once and only the beginning of a mark is held back") {
  MarkScanner scanner(token);
  CHECK(scanner.feed("prompt 0011: ") == Found{"prompt 0011: ", {}});
  CHECK(scanner.feed("x~001") == Found{"x", {}});
  CHECK(scanner.feed("2") == Found{"~0012", {}});
  CHECK(scanner.feed("~") == Found{"", {}});
  CHECK(scanner.finish() == "~");
  CHECK(scanner.finish().empty());
}

TEST_CASE("megabytes pass") {
  const std::string much(5'000'000, '~');
  MarkScanner scanner(token);
  std::size_t size = 0;
  for (std::size_t at = 0; at < much.size(); at += 65536) {
    size += scanner.feed(std::string_view(much).substr(at, 65536)).data.size();
  }
  CHECK(size >= much.size() - token.size());
  CHECK(scanner.feed(token + "3\n").marks == std::vector<std::string>{"3"});
}

}  // namespace
}  // namespace vmr
