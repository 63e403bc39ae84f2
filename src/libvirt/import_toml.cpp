// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "base/shell_words.hpp"
#include "libvirt/import_domain.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

/// Whether `text` is the same as a bare TOML number or boolean.
bool reads_the_same_bare(std::string_view text) {
  constexpr std::size_t digits_that_fit = 18;
  if (text == "true" || text == "false" || text == "0") return true;
  return !text.empty() && text.size() <= digits_that_fit && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), is_ascii_digit);
}

/// `text` as a TOML basic string.
std::string quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += c == '\n' ? "\\n" : c == '\t' ? "\\t" : fmt::format("\\u{:04X}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string value_of(const ImportedSetting& setting) {
  if (setting.key == SettingKey{0, "EXTRA_ARGS"}) {
    // What import_domain has joined can be split.
    const auto words = shell_split(setting.text).value_or(std::vector{setting.text});
    std::string list = "[";
    for (const auto& word : words) list += "\n  " + quoted(word) + ",";
    return list + "\n]";
  }
  return reads_the_same_bare(setting.text) ? setting.text : quoted(setting.text);
}

}  // namespace

std::string settings_as_toml(const std::vector<ImportedSetting>& settings) {
  std::string text;
  int share = 0;
  for (const auto& setting : settings) {
    if (setting.key.share != share) text += "\n[[share]]\n";
    share = setting.key.share;
    text += fmt::format("{} = {}\n", ascii_lower(setting.key.name), value_of(setting));
  }
  return text;
}

}  // namespace vmr
