// SPDX-License-Identifier: MIT
#include "config/print_toml.hpp"

#include "base/printable.hpp"
#include "base/shell_words.hpp"
#include "base/units.hpp"
#include "base/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

/// A string of TOML's on one line.
std::string quoted(const std::string& text) {
  std::string line = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line += {'\\', c};
    } else if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else {
      line += c;
    }
  }
  return with_escapes(line) + "\"";
}

/// Whether TOML's number of these digits is read as exactly them.
bool is_plain_number(const std::string& text) {
  constexpr std::size_t most_digits = 18;  // of 64 bits
  const bool digits = text.find_first_not_of("0123456789") == text.npos;
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  return digits && !text.empty() && text.size() <= most_digits && !leading_zero;
}

/// A few words on one line, more each on a line of its own.
std::string list_of(const std::vector<std::string>& words) {
  constexpr std::size_t most_on_one_line = 2;
  std::vector<std::string> elements(words.size());
  std::transform(words.begin(), words.end(), elements.begin(), quoted);
  return words.size() <= most_on_one_line
             ? fmt::format("[{}]", fmt::join(elements, ", "))
             : fmt::format("[\n  {},\n]", fmt::join(elements, ",\n  "));
}

std::string value_of(const std::string& text, ValueKind kind) {
  if (kind == ValueKind::number && is_plain_number(text)) return text;
  if (kind == ValueKind::flag) {
    const auto parsed = parse_bool(text);
    if (const auto* flag = std::get_if<bool>(&parsed)) return *flag ? "true" : "false";
  }
  if (kind == ValueKind::words && !text.empty()) {
    if (const auto words = shell_split(text)) return list_of(*words);
  }
  return quoted(text);
}

std::string comment_of(const std::string& text) {
  return "# " + on_one_line(to_utf8(text));
}

std::string print_line(const TomlLine& line) {
  const auto text =
      fmt::format("{}{} = {}", line.is_comment ? "# " : "", toml_key(variable_of(line.key)),
                  value_of(to_utf8(line.text), row_of(line.key).kind));
  return line.comment.empty() ? text + "\n"
                              : fmt::format("{}  {}\n", text, comment_of(line.comment));
}

}  // namespace

bool fits_toml(const std::string& text) {
  return is_utf8(text);
}

std::string print_toml(const std::vector<TomlLine>& lines, const TomlNotes& notes) {
  std::string text;
  const auto add_notes = [&](const std::vector<std::string>& all) {
    for (const auto& note : all) text += comment_of(note) + "\n";
  };
  add_notes(notes.file);
  int share = 0;
  for (const auto& line : lines) {
    if (line.key.share != share) {
      text += text.empty() ? "" : "\n";
      const auto own = notes.shares.find(line.key.share);
      if (own != notes.shares.end()) add_notes(own->second);
      text += "[[share]]\n";
      if (line.key.share != share + 1) text += fmt::format("number = {}\n", line.key.share);
      share = line.key.share;
    }
    text += print_line(line);
  }
  return text;
}

}  // namespace vmr
