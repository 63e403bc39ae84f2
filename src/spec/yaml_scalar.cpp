// SPDX-License-Identifier: MIT
#include "spec/yaml_scalar.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace vmr {
namespace {

using Kind = YamlValue::Kind;

/// `word` in the three ways of writing it that YAML 1.1 has: yes, Yes, YES.
bool is_word(std::string_view text, std::string_view word) {
  const bool fits = ascii_lower(text) == word;
  return fits && (text == word || text == ascii_upper(word) || text.substr(1) == word.substr(1));
}

std::optional<bool> read_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 3> yes = {"yes", "true", "on"};
  constexpr std::array<std::string_view, 3> no = {"no", "false", "off"};
  const auto fits = [&](auto word) { return is_word(text, word); };
  if (std::any_of(yes.begin(), yes.end(), fits)) return true;
  if (std::any_of(no.begin(), no.end(), fits)) return false;
  return std::nullopt;
}

bool is_null(std::string_view text) {
  return text.empty() || text == "~" || is_word(text, "null");
}

/// A number as Python prints it; none for what is no integer. Groups of 60 ("1:30") are left as
/// they are: none of them is 1.
std::optional<std::string> read_integer(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0b") || text.starts_with("0x")) {
    base = text[1] == 'b' ? 2 : 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  } else if (text.starts_with('_')) {
    return std::nullopt;
  }
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c != '_'; });
  std::uint64_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) return digits;
  return (is_negative && value != 0 ? "-" : "") + std::to_string(value);
}

YamlValue boolean(bool value) {
  return {Kind::boolean, value ? "True" : "False", {}, {}};
}

}  // namespace

YamlValue resolve_plain_scalar(const std::string& text) {
  if (is_null(text)) return {};
  if (const auto value = read_boolean(text)) return boolean(*value);
  if (auto number = read_integer(text)) return {Kind::integer, std::move(*number), {}, {}};
  return YamlValue::of(text);
}

std::optional<YamlValue> read_tagged_scalar(const std::string& type, const std::string& text) {
  if (type == "null") return YamlValue{};
  if (type == "str" || type == "float" || type == "timestamp") return YamlValue::of(text);
  if (type == "binary") return YamlValue::of(decode_base64(text));
  if (type == "bool") {
    const auto value = read_boolean(ascii_lower(text));
    return value ? std::optional(boolean(*value)) : std::nullopt;
  }
  if (type == "int") {
    auto number = read_integer(text);
    if (!number) return std::nullopt;
    return YamlValue{Kind::integer, std::move(*number), {}, {}};
  }
  return std::nullopt;
}

}  // namespace vmr
