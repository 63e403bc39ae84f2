// SPDX-License-Identifier: MIT
#include "base/shell_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

constexpr std::string_view plain_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/// Reads one word from `rest`, which starts at a non-blank; leaves `rest` behind it.
std::optional<std::string> take_word(std::string_view& rest) {
  std::string word;
  while (!rest.empty() && !is_blank(rest.front())) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\'') {
      const auto end = rest.find('\'');
      if (end == std::string_view::npos) return std::nullopt;
      word += rest.substr(0, end);
      rest.remove_prefix(end + 1);
    } else if (c == '\\') {
      if (rest.empty()) return std::nullopt;
      if (rest.front() != '\n') word += rest.front();
      rest.remove_prefix(1);
    } else if (c == '"') {
      while (!rest.empty() && rest.front() != '"') {
        const bool escapes = rest.front() == '\\' && rest.size() > 1 &&
                             std::string_view("$`\"\\\n").find(rest[1]) != std::string_view::npos;
        if (escapes) rest.remove_prefix(1);
        if (!escapes || rest.front() != '\n') word += rest.front();
        rest.remove_prefix(1);
      }
      if (rest.empty()) return std::nullopt;
      rest.remove_prefix(1);
    } else {
      word += c;
    }
  }
  return word;
}

bool is_plain(char c) {
  return c == '\n' || (c >= ' ' && c <= '~');
}

/// `text`, which does not end in a newline, as a word that makes the shell's printf write it.
std::string printf_word(std::string_view text) {
  std::string word = "\"$(printf '";
  for (const char c : text) {
    if (c == '%' || c == '\\') {
      word += {c, c};
    } else if (is_plain(c) && c != '\'') {
      word += c;
    } else {
      word += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    }
  }
  return word + "')\"";
}

}  // namespace

std::string shell_quote(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_not_of(plain_characters) == word.npos;
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string shell_quote_ascii(std::string_view word) {
  const auto special = [](char c) { return !is_plain(c); };
  const auto first = std::find_if(word.begin(), word.end(), special);
  if (first == word.end()) return shell_quote(word);
  // One printf for all of them: each is a process of its own in the shell.
  const auto last = std::find_if(word.rbegin(), word.rend(), special).base();
  const auto text = [](auto begin, auto end) { return std::string_view(begin, end); };
  const auto before = text(word.begin(), first);
  const auto behind = text(last, word.end());
  return (before.empty() ? "" : shell_quote(before)) + printf_word(text(first, last)) +
         (behind.empty() ? "" : shell_quote(behind));
}

std::string shell_join(const std::vector<std::string>& words) {
  std::vector<std::string> quoted(words.size());
  std::transform(words.begin(), words.end(), quoted.begin(),
                 [](const std::string& word) { return shell_quote(word); });
  return fmt::format("{}", fmt::join(quoted, " "));
}

std::optional<std::vector<std::string>> shell_split(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (line.empty()) return words;
    auto word = take_word(line);
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  }
}

}  // namespace vmr
