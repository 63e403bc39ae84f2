// SPDX-License-Identifier: MIT
#include "config/wrapping.hpp"

#include "base/shell_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace vmr {
namespace {

constexpr std::string_view carriage_return = "\r";

/// What separates words or shows nothing: in ASCII, a no-break space, an ideographic space, one of
/// no width, and a byte order mark.
constexpr std::array<std::string_view, 9> blanks = {" ",      "\t",     "\n",     "\v",    "\f",
                                                    "\u00a0", "\u3000", "\u200b", "\ufeff"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> quotes = {{
    {"\"", "\""},
    {"'", "'"},
    {"\u201c", "\u201d"},
    {"\u2018", "\u2019"},
    {"\u201e", "\u201c"},
    {"\u00ab", "\u00bb"},
}};

/// Takes blanks off the beginning of `text`; whether there were some.
bool take_blanks_before(std::string_view& text) {
  const auto size = text.size();
  const auto is_at_front = [&](std::string_view blank) { return text.starts_with(blank); };
  for (;;) {
    const auto* blank = std::find_if(blanks.begin(), blanks.end(), is_at_front);
    if (blank == blanks.end()) return text.size() != size;
    text.remove_prefix(blank->size());
  }
}

struct Trailing {
  bool blanks = false;
  bool carriage_return = false;
};

/// Takes blanks and carriage returns off the end of `text`.
Trailing take_behind(std::string_view& text) {
  Trailing found;
  const auto is_at_end = [&](std::string_view blank) { return text.ends_with(blank); };
  for (;;) {
    const auto* blank = std::find_if(blanks.begin(), blanks.end(), is_at_end);
    if (blank != blanks.end()) {
      found.blanks = true;
      text.remove_suffix(blank->size());
    } else if (is_at_end(carriage_return)) {
      found.carriage_return = true;
      text.remove_suffix(carriage_return.size());
    } else {
      return found;
    }
  }
}

/// Takes one pair of quotes off `text`; whether there was one.
bool take_quotes(std::string_view& text) {
  for (const auto& [open, close] : quotes) {
    if (text.size() < open.size() + close.size()) continue;
    if (!text.starts_with(open) || !text.ends_with(close)) continue;
    text.remove_prefix(open.size());
    text.remove_suffix(close.size());
    return true;
  }
  return false;
}

/// What of a command line is one word that was to be several: no option of QEMU's has a blank in
/// it, and none is empty.
std::optional<std::string> find_lone_word(std::string_view text) {
  const auto words = shell_split(text);
  if (!words || words->size() != 1) return std::nullopt;
  const auto& word = words->front();
  const bool is_line = word.starts_with('-') && word.find_first_of(" \t\n") != word.npos;
  return word.empty() || is_line ? std::optional(word) : std::nullopt;
}

/// Takes off `text` the quotes that have no meaning in a value of this kind.
std::string_view take_unmeant_quotes(std::string& text, ValueKind kind) {
  std::string_view bare = text;
  const bool is_ascii_quote = !text.empty() && static_cast<unsigned char>(text.front()) < 0x80;
  if (kind == ValueKind::words) {
    if (const auto word = find_lone_word(text)) {
      const bool quoted = text.front() == '"' || text.front() == '\'';
      text = *word;
      return quoted ? "quotes around it" : "quoted blanks in its only word";
    }
    if (is_ascii_quote) return {};
  }
  if (!take_quotes(bare)) return {};
  // A kernel's parameters may have quotes of their own: "a=b c" "d=e f".
  const bool is_inside = is_ascii_quote && bare.find(text.front()) != bare.npos;
  if (kind == ValueKind::command_line && is_inside) return {};
  text = std::string(bare);
  return "quotes around it";
}

/// Whether lines of `value` end as on Windows, which others take for part of a word. To a kernel it
/// is a blank: there only the last one tells that a line was cut out of such a file.
bool has_carriage_return(std::string_view value, ValueKind kind, bool is_behind) {
  if (kind == ValueKind::keys) return false;
  if (kind == ValueKind::command_line) return value.ends_with(carriage_return);
  return is_behind || value.find("\r\n") != value.npos;
}

}  // namespace

std::optional<Wrapping> find_wrapping(std::string_view value, ValueKind kind) {
  if (value.empty()) return std::nullopt;
  const bool blanks_are_nothing =
      kind == ValueKind::words || kind == ValueKind::command_line || kind == ValueKind::keys;
  auto bare = value;
  const bool before = take_blanks_before(bare);
  const auto behind = take_behind(bare);
  Wrapping found;
  found.carriage_return = has_carriage_return(value, kind, behind.carriage_return);
  const bool only_line_end = behind.carriage_return && value.ends_with("\r\n");
  std::vector<std::string_view> what;
  if (found.carriage_return) {
    what.emplace_back(behind.carriage_return ? "a carriage return (\\r) at its end"
                                             : "carriage returns (\\r) in it");
  }
  if (!blanks_are_nothing) {
    if (bare.empty() && !behind.carriage_return) {
      what.emplace_back("only blanks");
    } else if (before) {
      what.emplace_back(behind.blanks ? "blanks around it" : "a blank before it");
    } else if (behind.blanks && !only_line_end) {
      what.emplace_back("a blank behind it");
    }
  }
  found.bare = bare;
  if (const auto unmeant = take_unmeant_quotes(found.bare, kind); !unmeant.empty()) {
    what.push_back(unmeant);
  }
  if (what.empty()) return std::nullopt;
  found.what = fmt::format("{}", fmt::join(what, " and "));
  return found;
}

Invalid refusal_of(const Wrapping& wrapping, const Origin& origin, bool is_shown) {
  std::string hint = wrapping.bare.empty()
                         ? "leave it out, or give it a value"
                         : fmt::format("give {} alone", is_shown ? wrapping.bare : "the contents");
  if (wrapping.carriage_return) {
    hint = "save the file that it comes from with Unix line ends (sed -i 's/\\r$//' FILE)";
  } else if (origin.source == Source::environment) {
    hint += "; docker --env-file keeps quotes and blanks as part of the value";
  }
  return {"the value itself has " + wrapping.what, std::move(hint)};
}

}  // namespace vmr
