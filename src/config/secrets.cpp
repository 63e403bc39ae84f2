// SPDX-License-Identifier: MIT
#include "config/secrets.hpp"

#include "base/ascii.hpp"
#include "base/shell_words.hpp"
#include "config/variables.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// The end of the value that begins at `start`: a comma, unless it is one of two.
std::size_t end_of_value(std::string_view text, std::size_t start) {
  for (auto at = text.find(',', start); at != text.npos; at = text.find(',', at + 2)) {
    if (!text.substr(at + 1).starts_with(',')) return at;
  }
  return text.size();
}

/// Where the next value of a secret begins, from `from` on; npos when there is none.
std::size_t next_secret(std::string_view text, std::size_t from) {
  // `data` is a key of many options; with a `secret` before it, it is one.
  const bool is_secret_object = text.find("secret") != text.npos;
  constexpr std::array<std::string_view, 3> keys = {"password=", "passwd=", "data="};
  auto first = text.npos;
  for (const auto key : keys) {
    if (key == "data=" && !is_secret_object) continue;
    const auto at = text.find(key, from);
    if (at != text.npos) first = std::min(first, at + key.size());
  }
  return first;
}

/// An object of JSON is not worth taking apart for this.
bool is_json_with_secret(std::string_view text) {
  const auto brace = text.find('{');
  const auto has = [&](std::string_view word) { return text.find(word, brace) != text.npos; };
  return brace != text.npos && (has("\"password\"") || (has("\"secret") && has("\"data\"")));
}

}  // namespace

std::size_t secret_start(std::string_view word) {
  constexpr std::string_view option = "--set=";
  const auto name_at = word.starts_with(option) ? option.size() : 0;
  const auto equals = word.find('=', name_at);
  if (equals == word.npos) return word.size();
  const auto key = find_setting(ascii_upper(word.substr(name_at, equals - name_at)));
  return key && is_secret(*key) ? equals + 1 : word.size();
}

std::string without_secrets(std::string_view argument) {
  if (is_json_with_secret(argument)) {
    return std::string(argument.substr(0, argument.find('{'))) + "{…}";
  }
  std::string shown;
  std::size_t done = 0;
  for (auto at = next_secret(argument, 0); at != argument.npos; at = next_secret(argument, done)) {
    shown += std::string(argument.substr(done, at - done)) + "…";
    done = end_of_value(argument, at);
  }
  return shown + std::string(argument.substr(done));
}

bool has_secret(std::string_view argument) {
  return is_json_with_secret(argument) || next_secret(argument, 0) != argument.npos;
}

std::string command_for_log(const std::vector<std::string>& argv) {
  std::vector<std::string> words(argv.size());
  std::transform(argv.begin(), argv.end(), words.begin(), without_secrets);
  return shell_join(words);
}

}  // namespace vmr
