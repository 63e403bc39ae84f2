// SPDX-License-Identifier: MIT
#include "spec/given_path.hpp"

#include "base/ascii.hpp"
#include "config/wrapping.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vmr {
namespace {

bool is_letter(char c) {
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'z';
}

bool is_control_character(char c) {
  return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
}

/// "http://" at the beginning, as RFC 3986 has it; empty: none.
std::string_view scheme_of(std::string_view path) {
  const auto end = path.find("://");
  if (end == path.npos || end == 0 || !is_letter(path.front())) return {};
  const auto name = path.substr(0, end);
  const bool all_allowed = std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_ascii_digit(c) || c == '+' || c == '-' || c == '.';
  });
  return all_allowed ? path.substr(0, end + 3) : std::string_view();
}

/// Whether it is a path of Windows: "C:\x", "C:/x", "\\server\x".
bool is_of_windows(std::string_view path) {
  return path.find('\\') != path.npos || (path.size() >= 2 && is_letter(path[0]) &&
                                          path[1] == ':' && (path.size() == 2 || path[2] == '/'));
}

/// Whether a '%' begins what systemd, Windows or a URL puts something in for: "%h", "%HOME%",
/// "%20".
bool has_percent_word(std::string_view path) {
  for (auto at = path.find('%'); at != path.npos; at = path.find('%', at + 1)) {
    if (at + 1 < path.size() && (is_letter(path[at + 1]) || is_ascii_digit(path[at + 1]))) {
      return true;
    }
  }
  return false;
}

/// What is left of quotes, or of a list, at the beginning or the end of the path or of its last
/// name; empty: nothing. An apostrophe within a name is one.
std::string_view find_leftover(std::string_view path) {
  auto name = path.substr(0, path.find_last_not_of('/') + 1);
  name.remove_prefix(name.rfind('/') + 1);
  constexpr std::array<std::string_view, 10> marks = {
      "\"", "'", ",", "\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u00ab", "\u00bb"};
  const auto* found = std::find_if(marks.begin(), marks.end(), [&](std::string_view mark) {
    return path.starts_with(mark) || name.ends_with(mark) ||
           (mark != "," && name.starts_with(mark));
  });
  return found == marks.end() ? std::string_view() : *found;
}

/// Why the path is hardly that of a folder; none: it may be.
std::optional<Invalid> find_oddity(const std::string& path) {
  const std::string written_out = "write the path out; a folder that is named so: create it first";
  if (std::any_of(path.begin(), path.end(), is_control_character)) {
    return Invalid{"it has control characters", written_out};
  }
  if (path.find('$') != path.npos) {
    return Invalid{"'$' is a variable that nobody has filled in", written_out};
  }
  if (const auto scheme = scheme_of(path); !scheme.empty()) {
    return Invalid{fmt::format("'{}' begins an address", scheme),
                   "name a folder of this host by its path"};
  }
  if (is_of_windows(path)) {
    return Invalid{"it is a path of Windows, or has a backslash that quotes",
                   "name a folder of this host by its path"};
  }
  if (path.find(':') != path.npos) {
    return Invalid{
        "':' separates what docker run -v takes",
        "name the folder only; a share's mount folder in the guest is set with MOUNT, and "
        "READONLY=1 is ':ro'"};
  }
  if (const auto at = path.find_first_of("*?[]{}"); at != path.npos) {
    return Invalid{fmt::format("'{}' is of a pattern, and a share is one folder", path[at]),
                   "name the folder that they are in; a folder that is named so: create it first"};
  }
  // `~` and `~/…` are the home directory, and known here.
  if (path.size() > 1 && path[0] == '~' && path[1] != '/') {
    return Invalid{"'~' with a name behind it is filled in by shells only", written_out};
  }
  if (path.find(" #") != path.npos) {
    return Invalid{
        "' #' was to begin a comment, which docker --env-file keeps as part of the value",
        "put the comment on a line of its own"};
  }
  if (has_percent_word(path)) {
    return Invalid{"'%' begins something that nobody has filled in", written_out};
  }
  if (const auto at = path.find_first_of("<>|;&`"); at != path.npos) {
    return Invalid{
        fmt::format("'{}' is for shells, or where something is to be filled in", path[at]),
        written_out};
  }
  if (const auto mark = find_leftover(path); !mark.empty()) {
    return Invalid{fmt::format("it has a stray {} at one end", mark == "," ? "comma" : "quote"),
                   "leave it out; a folder that is named so: create it first"};
  }
  return std::nullopt;
}

}  // namespace

bool refuse_wrapped(const Given<std::string>& given, Findings& findings) {
  const auto wrapping = find_wrapping(given.value, ValueKind::path);
  if (!wrapping) return false;
  const auto refusal = refusal_of(*wrapping, given.origin);
  findings.refuse(given, refusal.message, refusal.hint);
  return true;
}

bool refuse_oddity(const Given<std::string>& given, Findings& findings) {
  const auto oddity = find_oddity(given.value);
  if (!oddity) return false;
  findings.refuse(given, "no such directory, and none is made: " + oddity->message, oddity->hint);
  return true;
}

}  // namespace vmr
