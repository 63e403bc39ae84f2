// SPDX-License-Identifier: MIT
#include "config/load.hpp"

#include "config/raw_settings.hpp"
#include "config/secret_files.hpp"
#include "config/secrets.hpp"
#include "config/settings.hpp"
#include "config/wrapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace vmr {
namespace {

Problem problem_with(const Given<std::string>& text, const Invalid& invalid, bool secret) {
  const std::string subject =
      secret ? text.origin.variable
             : fmt::format("{}='{}'", text.origin.variable, without_secrets(text.value));
  return {fmt::format("{}: {}", subject, invalid.message), describe(text.origin), invalid.hint};
}

/// What stands around a password may be part of it, and what stands around a path of something that
/// is there, which is not known here.
bool is_refused(const Wrapping& wrapping, ValueKind kind) {
  return kind != ValueKind::password && (kind != ValueKind::path || wrapping.carriage_return);
}

/// The same with what stands around it found; marked where that makes it no value.
Given<std::string> judge_wrapping(Given<std::string> text, ValueKind kind, LoadedConfig& loaded) {
  const auto wrapping = find_wrapping(text.value, kind);
  if (!wrapping || text.invalid) return text;
  if (is_refused(*wrapping, kind)) {
    // Among keys a private one may have been pasted by mistake.
    const bool is_shown = kind != ValueKind::keys;
    loaded.problems.push_back(
        problem_with(text, refusal_of(*wrapping, text.origin, is_shown), !is_shown));
    text.invalid = true;
  } else if (kind == ValueKind::password) {
    loaded.warnings.push_back(
        fmt::format("{}: the value itself has {}, which the password has then",
                    describe(text.origin), wrapping->what));
  }
  return text;
}

/// Gives every field of `target` its default, then what `raw` says.
template <typename Target>
void fill(Target& target, std::span<const Setting<Target>> settings, int share,
          const RawSettings& raw, LoadedConfig& loaded) {
  for (const auto& setting : settings) {
    const SettingKey key{share, std::string(setting.name)};
    const Origin by_default{Source::default_value, variable_of(key), {}};
    setting.store(target, {std::string(setting.default_value), by_default});
    const auto given = raw.values.find(key);
    if (given == raw.values.end()) continue;
    const auto text = judge_wrapping(given->second, setting.store.kind, loaded);
    if (const auto invalid = setting.store(target, text)) {
      loaded.problems.push_back(problem_with(text, *invalid, setting.secret));
    }
  }
}

std::set<int> share_numbers(const RawSettings& raw) {
  std::set<int> numbers;
  for (const auto& [key, text] : raw.values) {
    if (key.share != 0) numbers.insert(key.share);
  }
  return numbers;
}

/// What made `number` a share.
Origin start_of_share(int number, const RawSettings& raw) {
  const auto line = raw.share_lines.find(number);
  if (line != raw.share_lines.end()) return line->second;
  return raw.values.lower_bound(SettingKey{number, {}})->second.origin;
}

}  // namespace

LoadedConfig load_config(const Arguments& arguments, const std::vector<std::string>& environment,
                         const ConfigFile& file) {
  const RawSettings raw =
      merge(merge(read_toml(file.text, file.name), read_environment(environment)),
            read_assignments(arguments.assignments));

  LoadedConfig loaded;
  loaded.problems = raw.problems;
  loaded.warnings = raw.warnings;
  for (auto& problem : find_doubled_secrets(raw.values)) {
    loaded.problems.push_back(std::move(problem));
  }
  fill(loaded.config, vm_settings(), 0, raw, loaded);
  for (const int number : share_numbers(raw)) {
    ShareConfig share;
    share.number = number;
    share.origin = start_of_share(number, raw);
    fill(share, share_settings(), number, raw, loaded);
    loaded.config.shares.push_back(std::move(share));
  }
  loaded.config.qemu_args = arguments.qemu_args;
  loaded.config.config_file = file.name;
  loaded.given = raw.values;
  return loaded;
}

LogFormat early_log_format(const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment) {
  constexpr std::string_view option = "--set";
  Arguments arguments;
  for (std::size_t i = 0; i < argv.size() && argv[i] != "--"; ++i) {
    if (argv[i].starts_with("--set=")) {
      arguments.assignments.push_back(argv[i].substr(option.size() + 1));
    } else if (argv[i] == option && i + 1 < argv.size()) {
      arguments.assignments.push_back(argv[++i]);
    }
  }
  // The rest is read, and judged, later.
  std::vector<std::string> of_the_format;
  std::copy_if(environment.begin(), environment.end(), std::back_inserter(of_the_format),
               [](const auto& entry) { return entry.starts_with("LOG_FORMAT="); });
  return load_config(arguments, of_the_format, {}).config.log_format.value;
}

Config default_config() {
  return load_config({}, {}, {}).config;
}

}  // namespace vmr
