// SPDX-License-Identifier: MIT
#include "base/units.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace vmr {
namespace {

/// The whole of `text` as digits of `base`; none for anything else, signs included, and on
/// overflow.
std::optional<std::uint64_t> read_digits(std::string_view text, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// KiB in one unit of this name.
std::optional<std::uint64_t> kibibytes_in(std::string_view unit) {
  if (unit.empty()) return 1024;
  const std::string_view rest = unit.substr(1);
  if (!rest.empty() && rest != "b" && rest != "ib") return std::nullopt;
  switch (unit.front()) {
    case 'k':
      return 1;
    case 'm':
      return 1024;
    case 'g':
      return 1024 * 1024;
    case 't':
      return 1024 * 1024 * 1024;
    default:
      return std::nullopt;
  }
}

}  // namespace

Parsed<bool> parse_bool(std::string_view text) {
  constexpr std::array<std::string_view, 4> yes = {"1", "true", "yes", "on"};
  constexpr std::array<std::string_view, 4> no = {"0", "false", "no", "off"};
  const std::string word = ascii_lower(text);
  if (std::find(yes.begin(), yes.end(), word) != yes.end()) return true;
  if (std::find(no.begin(), no.end(), word) != no.end()) return false;
  return Invalid{"neither yes nor no", "one of: 1, true, yes, on, 0, false, no, off"};
}

Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t lowest,
                                   std::uint64_t highest) {
  const std::string hint = fmt::format("a whole number from {} to {}", lowest, highest);
  const bool all_digits = !text.empty() && std::all_of(text.begin(), text.end(), is_ascii_digit);
  if (!all_digits) return Invalid{"not a whole number", hint};
  const auto number = read_digits(text);
  if (!number || *number > highest) return Invalid{fmt::format("above {}", highest), hint};
  if (*number < lowest) return Invalid{fmt::format("below {}", lowest), hint};
  return *number;
}

Parsed<std::uint32_t> parse_octal_mode(std::string_view text) {
  const std::string hint = "permission bits in octal, 0 to 0777";
  std::string_view digits = text;
  if (digits.starts_with("0o")) digits.remove_prefix(2);
  const bool octal = !digits.empty() && digits.find_first_not_of("01234567") == digits.npos;
  if (!octal) return Invalid{"not octal digits", hint};
  const auto mode = read_digits(digits, 8);
  if (!mode || *mode > 0777) return Invalid{"above 0777", hint};
  return static_cast<std::uint32_t>(*mode);
}

Parsed<Owner> parse_owner(std::string_view text) {
  constexpr std::uint64_t highest = std::numeric_limits<std::uint32_t>::max() - 1;
  const Invalid invalid{"not an owner", "uid:gid in numbers, such as 1000:1000"};
  const auto colon = text.find(':');
  if (colon == text.npos) return invalid;
  const auto uid = parse_number(text.substr(0, colon), 0, highest);
  const auto gid = parse_number(text.substr(colon + 1), 0, highest);
  const auto* uid_number = std::get_if<std::uint64_t>(&uid);
  const auto* gid_number = std::get_if<std::uint64_t>(&gid);
  if (uid_number == nullptr || gid_number == nullptr) return invalid;
  return Owner{static_cast<std::uint32_t>(*uid_number), static_cast<std::uint32_t>(*gid_number)};
}

Parsed<std::uint64_t> parse_mebibytes(std::string_view text) {
  const std::string hint = "MiB, or a number with a unit: 2048, 512M, 2G";
  const auto digits_end = std::find_if_not(text.begin(), text.end(), is_ascii_digit);
  const auto digit_count = static_cast<std::size_t>(digits_end - text.begin());
  const auto unit = kibibytes_in(ascii_lower(text.substr(digit_count)));
  if (digit_count == 0 || !unit) return Invalid{"not an amount of memory", hint};

  const auto number = read_digits(text.substr(0, digit_count));
  if (!number || *number > std::numeric_limits<std::uint64_t>::max() / *unit) {
    return Invalid{"too much memory", hint};
  }
  const std::uint64_t kibibytes = *number * *unit;
  if (kibibytes < 1024) return Invalid{"less than 1 MiB", hint};
  if (kibibytes % 1024 != 0) return Invalid{"not a whole number of MiB", hint};
  return kibibytes / 1024;
}

Parsed<std::chrono::milliseconds> parse_seconds(std::string_view text) {
  constexpr std::uint64_t day = std::uint64_t{24} * 60 * 60 * 1000;
  const std::string hint = "seconds, 0 to 86400, such as 8 or 0.5";
  const auto point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  // A bare "8." has no decimals to read, so it is refused like any other non-number.
  std::string decimals(point == text.size() ? std::string_view("0") : text.substr(point + 1));
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_ascii_digit);
  };
  if (!is_number(whole) || !is_number(decimals)) return Invalid{"not a number of seconds", hint};
  if (decimals.size() > 3) return Invalid{"finer than a millisecond", hint};

  decimals.resize(3, '0');
  const auto seconds = read_digits(whole).value_or(day);
  const auto milliseconds = std::min(seconds, day) * 1000 + read_digits(decimals).value_or(0);
  if (milliseconds > day) return Invalid{"more than a day", hint};
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace vmr
