// SPDX-License-Identifier: MIT
// Debian's compiled library has only the functions of this mode.
#define TOML_EXCEPTIONS 1
#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 0
#endif
#include "base/ascii.hpp"
#include "base/nearest.hpp"
#include "base/shell_words.hpp"
#include "base/units.hpp"
#include "config/raw_settings.hpp"
#include "config/settings.hpp"

#include <fmt/format.h>
// Its functions are compiled here, for every other file too. What it asserts is not so for all
// bytes that are no TOML; without that it reports them.
#ifdef TOML_LINKED_IN
#define TOML_IMPLEMENTATION
#define TOML_ASSERT(expression) static_assert(true)
#endif
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace vmr {
namespace {

/// The key of a [[share]] that is no setting: which share it is.
constexpr std::string_view share_number_key = "number";

/// Strings in an array as one text of shell words; none when another type is among them.
std::optional<std::string> join_words(const toml::array& array) {
  std::vector<std::string> words;
  for (const auto& element : array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    words.push_back(text->get());
  }
  return shell_join(words);
}

/// A value as a user would write it in the environment; none for dates, tables and arrays.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_integer()) {
    // 0o644 is what TOML calls the mode that everybody else writes as 0644.
    const bool octal = number->flags() == toml::value_flags::format_as_octal;
    return octal ? fmt::format("0o{:o}", number->get()) : fmt::format("{}", number->get());
  }
  return std::nullopt;
}

/// What `node` is where a setting of this kind does not take it, though TOML lets it be written
/// without quotes; empty: it does, or it is a list or table. Of a number only its value is left of
/// how it was written, and 1.10 is no version, 0x1a4 no mode.
std::string_view misfit_of(const toml::node& node, ValueKind kind) {
  const bool is_plain = kind == ValueKind::number || kind == ValueKind::flag;
  if (node.is_integer() && kind == ValueKind::mode) {
    const auto flags = node.as_integer()->flags();
    const bool is_octal = flags == toml::value_flags::format_as_octal;
    const bool is_decimal = flags == toml::value_flags::none;
    return is_octal || is_decimal ? "" : "a number that is not octal";
  }
  if (node.is_integer()) return is_plain ? "" : "a number";
  if (node.is_floating_point()) return kind == ValueKind::number ? "" : "a number";
  if (node.is_boolean()) return is_plain ? "" : "a boolean";
  const bool is_time = node.is_date() || node.is_time() || node.is_date_time();
  return is_time && !is_plain ? "a date or time" : "";
}

template <typename Target>
std::vector<std::string> keys_of(std::span<const Setting<Target>> settings) {
  std::vector<std::string> keys;
  for (const auto& setting : settings) keys.push_back(ascii_lower(setting.name));
  return keys;
}

bool contains(const std::vector<std::string>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Reads one document into `raw`.
class TomlReader {
 public:
  /// `text`: what the document was read from.
  TomlReader(const std::string& name, std::string_view text, RawSettings& raw)
      : name_(name), text_(text), raw_(raw) {}

  void read_document(const toml::table& document) {
    for (const auto& [key, node] : document) {
      if (key.str() == "share") {
        read_shares(node);
      } else {
        read_key(0, key, node);
      }
    }
  }

 private:
  void read_shares(const toml::node& node) {
    const auto* shares = node.as_array();
    const bool all_tables =
        shares != nullptr && std::all_of(shares->begin(), shares->end(),
                                         [](const auto& share) { return share.is_table(); });
    if (!all_tables) {
      add_problem("share: not a list of tables", "share", node.source(),
                  "begin each share with a line [[share]]");
    } else if (shares->size() > std::size_t{max_share_number}) {
      add_problem("share: too many shares", "share", node.source(),
                  fmt::format("at most {}", max_share_number));
    } else {
      int number = 0;
      for (const auto& share : *shares) {
        number = number_of(*share.as_table(), number + 1);
        read_share(number, *share.as_table());
      }
    }
  }

  /// The number that the share gives itself, or `otherwise`.
  int number_of(const toml::table& share, int otherwise) {
    const auto* node = share.get(share_number_key);
    if (node == nullptr) return otherwise;
    const auto text = text_of(*node).value_or("");
    const auto parsed = parse_number(text, 1, max_share_number);
    if (const auto* number = std::get_if<std::uint64_t>(&parsed)) return static_cast<int>(*number);
    add_problem(fmt::format("number='{}': not the number of a share", text), share_number_key,
                node->source(), fmt::format("a whole number, 1 to {}", max_share_number));
    return otherwise;
  }

  void read_share(int number, const toml::table& share) {
    const Origin line{Source::file, "[[share]]", place(share.source())};
    const auto [first_line, is_new] = raw_.share_lines.try_emplace(number, line);
    if (!is_new || number > max_share_number) {
      add_problem(is_new ? fmt::format("share: the number {} is too large", number)
                         : fmt::format("share: the number {} is that of another one, at {}", number,
                                       first_line->second.place),
                  "[[share]]", share.source(), "give it another number, or leave all numbers out");
      return;
    }
    for (const auto& [key, node] : share) {
      if (key.str() != share_number_key) read_key(number, key, node);
    }
    const auto first = raw_.values.lower_bound(SettingKey{number, {}});
    if (first == raw_.values.end() || first->first.share != number) {
      const SettingKey source{number, "SOURCE"};
      raw_.values[source] = {{}, {Source::file, variable_of(source), place(share.source())}};
    }
  }

  void read_key(int share, const toml::key& key, const toml::node& node) {
    const auto own = share == 0 ? keys_of(vm_settings()) : keys_of(share_settings());
    if (contains(own, key.str())) {
      read_value({share, ascii_upper(key.str())}, node);
      return;
    }
    add_problem(fmt::format("{}: unknown setting", key.str()), key.str(), key.source(),
                hint_for(share, key.str(), own));
  }

  void read_value(const SettingKey& key, const toml::node& node) {
    const bool takes_list = key == SettingKey{0, "EXTRA_ARGS"};
    const std::string variable = variable_of(key);
    const Origin origin{Source::file, variable, place(node.source())};
    const auto row = row_of(key);
    if (const auto misfit = misfit_of(node, row.kind); !misfit.empty()) {
      raw_.values[key] = {{}, origin, true};
      const auto [meant, how] = way_to_write(toml_key(variable), row, node.source());
      add_problem(
          fmt::format("{}: not a value of a setting: {}, and {} is meant", variable, misfit, meant),
          toml_key(variable), node.source(), how);
      return;
    }
    auto text = takes_list && node.is_array() ? join_words(*node.as_array()) : text_of(node);
    if (!text) {
      raw_.values[key] = {{}, origin, true};
      add_problem(fmt::format("{}: not a value of a setting", variable), toml_key(variable),
                  node.source(),
                  takes_list ? "a string, or a list of strings" : "a string, number or boolean");
    } else if (text->find('\0') != text->npos) {
      raw_.values[key] = {{}, origin, true};
      add_problem(fmt::format("{}: contains a NUL character", variable), toml_key(variable),
                  node.source(), "leave the character out");
    } else if (!text->empty()) {
      raw_.values[key] = {std::move(*text), origin};
    }
  }

  static std::string hint_for(int share, std::string_view key,
                              const std::vector<std::string>& own) {
    const auto others = share == 0 ? keys_of(share_settings()) : keys_of(vm_settings());
    if (contains(others, key)) {
      return share == 0
                 ? fmt::format("{} belongs to a share: put it below a line [[share]]", key)
                 : fmt::format("{} belongs to the VM: put it above the first [[share]]", key);
    }
    if (const auto meant = nearest(key, {own.begin(), own.end()})) {
      return fmt::format("did you mean {}?", *meant);
    }
    return "vm-runner --help lists every setting";
  }

  void add_problem(std::string message, std::string_view key, const toml::source_region& source,
                   std::string hint) {
    raw_.problems.push_back(
        {std::move(message), fmt::format("{} ({})", key, place(source)), std::move(hint)});
  }

  [[nodiscard]] std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}", name_, source.begin.line);
  }

  /// What the setting `key` takes, and how that is written in place of the value at `source`.
  [[nodiscard]] std::pair<std::string_view, std::string> way_to_write(
      std::string_view key, const SettingRow& row, const toml::source_region& source) const {
    if (row.kind == ValueKind::mode) {
      return {"a mode", fmt::format("write it in octal: {} = 0o644", key)};
    }
    if (row.kind == ValueKind::flag) return {"yes or no", fmt::format("write {} = true", key)};
    const auto shown = row.secret ? "…" : as_written(source);
    return {"text", fmt::format("write it in quotes: {} = \"{}\"", key, shown)};
  }

  /// That part of the document; "…" where columns and bytes are not the same.
  [[nodiscard]] std::string as_written(const toml::source_region& source) const {
    auto line = text_;
    for (auto number = source.begin.line; number > 1; --number) {
      line.remove_prefix(std::min(line.find('\n'), line.size() - 1) + 1);
    }
    line = line.substr(0, line.find('\n'));
    const bool is_ascii = std::all_of(line.begin(), line.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const bool fits = is_ascii && source.begin.line == source.end.line && source.begin.column > 0 &&
                      source.begin.column <= source.end.column &&
                      source.end.column <= line.size() + 1;
    if (!fits) return "…";
    return std::string(
        line.substr(source.begin.column - 1, source.end.column - source.begin.column));
  }

  const std::string& name_;
  std::string_view text_;
  RawSettings& raw_;
};

}  // namespace

RawSettings read_toml(std::string_view text, const std::string& name) {
  RawSettings raw;
  try {
    TomlReader(name, text, raw).read_document(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    raw.problems.push_back({fmt::format("{}: {}", name, error.description()),
                            fmt::format("{}:{}:{}", name, at.line, at.column),
                            "correct the TOML there"});
  }
  return raw;
}

}  // namespace vmr
