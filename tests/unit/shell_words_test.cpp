// SPDX-License-Identifier: MIT
#include "base/shell_words.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace vmr;
using Words = std::vector<std::string>;

TEST_CASE("a plain word stays bare") {
  CHECK(shell_quote("qemu-system-x86_64") == "qemu-system-x86_64");
  CHECK(shell_quote("driver=9p,path=/a/b.c:1@x+y%z") == "driver=9p,path=/a/b.c:1@x+y%z");
}

TEST_CASE("everything special is quoted") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "''"},           {" ", "' '"},           {"a b", "'a b'"},
      {"a\nb", "'a\nb'"},   {"it's", "'it'\\''s'"}, {"'", "''\\'''"},
      {"$(id)", "'$(id)'"}, {"`id`", "'`id`'"},     {"a;b", "'a;b'"},
      {"*", "'*'"},         {"~", "'~'"},           {"#x", "'#x'"},
      {"\\", "'\\'"},       {"\"", "'\"'"},         {"!1", "'!1'"},
      {"{a}", "'{a}'"},     {"größe", "'größe'"},   {"a\tb", "'a\tb'"},
      {"\x7f", "'\x7f'"},
  };
  for (const auto& [word, quoted] : table) {
    CAPTURE(word);
    CHECK(shell_quote(word) == quoted);
  }
}

TEST_CASE("a word in ASCII has other bytes made by one printf") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "''"},
      {"plain", "plain"},
      {"it's\n", "'it'\\''s\n'"},
      {"ü", R"x("$(printf '\303\274')")x"},
      {"a ü b", R"x('a '"$(printf '\303\274')"' b')x"},
      {"ü'%\\\nü", "\"$(printf '\\303\\274\\047%%\\\\\n\\303\\274')\""},
      {"\r\n", "\"$(printf '\\015')\"'\n'"},
      {"\x7f"
       "1",
       R"x("$(printf '\177')"1)x"},
  };
  for (const auto& [word, quoted] : table) {
    CAPTURE(word);
    CHECK(shell_quote_ascii(word) == quoted);
  }
}

TEST_CASE("joined words are split again") {
  const Words hostile = {"",          " ",          "a b",
                         "tab\there", "line\nline", "it's",
                         "''",        "\"",         "\\",
                         "\\\\n",     "$(id)",      "`id`",
                         "${HOME}",   "a,,b",       "größe 中",
                         "%s%n",      "-",          "--",
                         "=",         "#",          "*?[a]",
                         "~root",     "!!",         "\x01\x7f",
                         "'\\''",     "\\\n",       std::string(100000, '\'')};
  CHECK(shell_split(shell_join(hostile)) == hostile);
  for (const auto& word : hostile) {
    CAPTURE(word);
    CHECK(shell_split(shell_quote(word)) == Words{word});
    CHECK(shell_split("a " + shell_quote(word) + " z") == Words{"a", word, "z"});
  }
}

TEST_CASE("no words are an empty text") {
  CHECK(shell_join({}).empty());
  CHECK(shell_split("") == Words{});
  CHECK(shell_split(" \t\n ") == Words{});
}

TEST_CASE("words are read as a shell reads them") {
  const std::vector<std::pair<std::string, Words>> table = {
      {"a b\tc\nd", {"a", "b", "c", "d"}},
      {"  -m   2G ", {"-m", "2G"}},
      {"'a b'c\"d e\"f", {"a bcd ef"}},
      {"''", {""}},
      {"\"\" x", {"", "x"}},
      {"a\\ b", {"a b"}},
      {"\\'", {"'"}},
      {"'\\'", {"\\"}},
      {R"("\a\"\\\$\`")", {"\\a\"\\$`"}},
      {"a\\\nb", {"ab"}},
      {"\"a\\\nb\"", {"ab"}},
      {"$HOME `id` *", {"$HOME", "`id`", "*"}},
      {"a#b # c", {"a#b", "#", "c"}},
  };
  for (const auto& [line, words] : table) {
    CAPTURE(line);
    CHECK(shell_split(line) == words);
  }
}

TEST_CASE("what is left open is no line") {
  for (const auto* line : {"'", "\"", "a 'b", "a \"b", "\\", "a\\", "\"a\\\"", "'a'b'"}) {
    CAPTURE(line);
    CHECK(shell_split(line) == std::nullopt);
  }
}
