// SPDX-License-Identifier: MIT
#include "run/terminal_queries.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace vmr {
namespace {

TEST_CASE("what a terminal answers is left out") {
  const std::vector<std::string_view> queries = {
      "\x1b[6n",            // where is the cursor
      "\x1b[5n",            // are you well
      "\x1b[?6n",           //
      "\x1b[?996n",         // dark or light
      "\x1b[c",             // what are you
      "\x1b[0c",            //
      "\x1b[>c",            //
      "\x1b[=0c",           //
      "\x1bZ",              //
      "\x05",               // who is there
      "\x1b[>0q",           // which version
      "\x1b[18t",           // how large are you
      "\x1b[0x",            // your line settings
      "\x1b[?2026$p",       // how is this mode set
      "\x1b[4$p",           //
      "\x1b[?u",            // your keyboard
      "\x1b]11;?\a",        // your background
      "\x1b]4;1;?\x1b\\",   //
      "\x1b]52;c;?\a",      // your clipboard
      "\x1bP$qm\x1b\\",     // your attributes
      "\x1bP+q544e\x1b\\",  // your capabilities
  };
  for (const auto query : queries) {
    CAPTURE(query);
    CHECK(without_queries("a" + std::string(query) + "b\n") == "ab\n");
  }
  std::string text;
  for (const auto query : queries) text += query;
  CHECK(without_queries(text).empty());
}

TEST_CASE("everything else stays as it is") {
  const std::vector<std::string> texts = {
      "",
      "plain text\r\nof 2 lines, 6n and c\n",
      "\x1b[0m\x1b[1;31mred\x1b[0;39m\x1b[K\x1b[2J\x1b[H\x1b[10;20H",
      "\x1b[!p\x1b[?7h\x1b[?2004h\x1b[?1049l\x1b[4 q\x1b[1;1;5;5$x\x1b[s\x1b[u\x1b[22\"t",
      "\x1b]0;a title? yes\a\x1b]104\x1b\\\x1bP1;2|17/41\x1b\\",
      "\x1b"
      "7\x1b"
      "8\x1b=\x1b>\x1b(B\x1b\x1b[A",
      std::string("\0\xff\x9b\x7f\b\t", 6),
      "\xe2\x80\xa6 \xf0\x9f\x99\x82"};
  for (const auto& text : texts) {
    CAPTURE(text);
    CHECK(without_queries(text) == text);
  }
}

TEST_CASE("sequences that are cut short or broken off swallow nothing") {
  const std::vector<std::string> texts = {"\x1b",         "\x1b[",         "\x1b[6",
                                          "\x1b[?",       "\x1b]11;",      "\x1b]11;?",
                                          "\x1bP",        "\x1b[6\nn",     "\x1b]11;x\x1b[1mtext",
                                          "\x1bP$qm\x1b", "6n the middle", "\x1b[\x1b[\x1b["};
  for (const auto& text : texts) {
    CAPTURE(text);
    CHECK(without_queries(text) == text);
  }
}

TEST_CASE("what is left makes no query of its own") {
  CHECK(without_queries("\x1b[\x1b[6n6n") == "6n");
  CHECK(without_queries("a\x1b[\x1b[\x1b\x05[6n") == "a[6n");
  CHECK(without_queries("\x1b]11;\x1b[6n?\a") == "?\a");
  CHECK(without_queries("\x1b[1m\x1b[\x05"
                        "5n") == "\x1b[1m5n");
}

TEST_CASE("a query is left out in whatever pieces it comes") {
  const std::string text =
      "login: \x1b[1m\x1b[6n\x1b]11;?\a\x1b[0mroot\x1b]0;a title\a\x1b[\x1b[6n6n\x1bP$qm\x1b\\$ ";
  const std::string shown = "login: \x1b[1m\x1b[0mroot\x1b]0;a title\a6n$ ";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    QueryFilter filter;
    std::string seen;
    for (std::size_t i = 0; i < text.size(); i += size) {
      seen += filter.take(std::string_view(text).substr(i, size));
    }
    CHECK(seen == shown);
  }
}

TEST_CASE("output that begins a sequence and never ends it is shown, as text") {
  QueryFilter filter;
  CHECK(filter.take("a prompt: ") == "a prompt: ");
  CHECK(filter.take("\x1b]11;") == "");
  CHECK(filter.take("\nnext\n") == "]11;\nnext\n");
  const std::string escapes(2000, '\x1b');
  CHECK(filter.take("\x1b]" + std::string(2000, 'x')) == "]" + std::string(2000, 'x'));
  CHECK(filter.take(escapes + "[") == "[");
  CHECK(filter.take("6n") == "6n");
}

TEST_CASE("many bytes that begin a sequence take no time") {
  const std::string escapes(65536, '\x1b');
  CHECK((without_queries(escapes) == escapes));
  std::string strings;
  while (strings.size() < 65536) strings += "\x1b]";
  CHECK((without_queries(strings) == strings));
  const auto endless = "\x1b[" + std::string(65536, ';');
  CHECK((without_queries(endless) == endless));
}

}  // namespace
}  // namespace vmr
