// SPDX-License-Identifier: MIT
#include "spec/second_seed.hpp"

#include "base/ascii.hpp"
#include "base/paths.hpp"
#include "base/qemu_words.hpp"
#include "config/own_drives.hpp"
#include "spec/vendor_data.hpp"
#include "spec/yaml_value.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

namespace vmr {
namespace {

using Effect = SeedWord::Effect;

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find_first_of(separators)));
    text.remove_prefix(words.back().size());
  }
}

/// What is behind `key=` in a word; none: it has another key.
std::optional<std::string_view> value_of(std::string_view word, std::string_view key) {
  if (!word.starts_with(key) || !word.substr(key.size()).starts_with('=')) return std::nullopt;
  return word.substr(key.size() + 1);
}

/// "nocloud;s=…;h=…": what the keys behind the name do; none: nothing to ours.
std::optional<Effect> effect_of_keys(std::string_view source) {
  std::optional<Effect> effect;
  auto parts = split(source, ";");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto key = parts[i].substr(0, parts[i].find('='));
    if (key == "s" || key == "seedfrom" || parts[i] == "dsmode=disabled") return Effect::replaces;
    if (key == "h" || key == "local-hostname" || key == "i" || key == "instance-id") {
      effect = Effect::adds;
    }
  }
  return effect;
}

std::optional<Effect> effect_of(std::string_view word) {
  if (word.find("cloud-init=disabled") != word.npos) return Effect::replaces;
  if (const auto policy = value_of(word, "ci.di.policy")) {
    return policy->substr(0, policy->find(',')) == "disabled" ? std::optional(Effect::replaces)
                                                              : std::nullopt;
  }
  if (const auto unit = value_of(word, "systemd.mask")) {
    return unit->starts_with("cloud-init") ? std::optional(Effect::replaces) : std::nullopt;
  }
  for (const auto* key : {"ds", "ci.ds", "ci.datasource"}) {
    const auto source = value_of(word, key);
    if (!source) continue;
    const auto name = ascii_lower(source->substr(0, source->find(';')));
    if (name == "nocloud" || name == "nocloud-net") return effect_of_keys(*source);
    if (!name.empty()) return Effect::replaces;
  }
  return std::nullopt;
}

std::optional<SeedWord> find_word(std::string_view text, bool only_nocloud) {
  std::optional<SeedWord> found;
  for (const auto word : split(text, " \t\r\n")) {
    if (only_nocloud && !word.starts_with("ds=nocloud")) continue;
    const auto effect = effect_of(word);
    if (!effect || (found && *effect == Effect::adds)) continue;
    found = {std::string(word), *effect};
    if (*effect == Effect::replaces) break;
  }
  return found;
}

/// Python's unquote(): "%7B" is "{".
std::string unquoted(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const auto* end = text.data() + std::min(i + 3, text.size());
    const bool is_byte = text[i] == '%' && text.size() - i > 2 &&
                         std::from_chars(text.data() + i + 1, end, byte, 16).ptr == end;
    plain += is_byte ? static_cast<char>(byte) : text[i];
    if (is_byte) i += 2;
  }
  return plain;
}

/// Cloud-config that stands in a kernel's command line itself.
struct InlineConfig {
  std::string text;  ///< the first "cc: … end_cc"
  std::string yaml;  ///< that of all
};

/// It begins with a word, ends wherever its end stands, and without one is all that follows.
std::optional<InlineConfig> find_inline_config(std::string_view command_line) {
  constexpr std::string_view begin = " cc:";
  constexpr std::string_view end = "end_cc";
  const std::string line = " " + std::string(command_line);
  std::optional<InlineConfig> found;
  for (auto at = line.find(begin); at != line.npos;) {
    const auto start = at + begin.size();
    const auto stop = std::min(line.find(end, start), line.size());
    const auto behind = std::min(stop + end.size(), line.size());
    if (!found) found = {line.substr(at + 1, behind - at - 1), ""};
    auto yaml = unquoted(std::string_view(line).substr(start, stop - start));
    // A line has no line ends, so that they are written as "\n".
    for (auto n = yaml.find("\\n"); n != yaml.npos; n = yaml.find("\\n", n)) {
      yaml.replace(n, 2, "\n");
    }
    yaml.erase(0, std::min(yaml.find_first_not_of(" \t\r\n"), yaml.size()));
    found->yaml += yaml + "\n";
    at = line.find(begin, behind);
  }
  return found;
}

/// Whether cloud-init would not find our seed with these settings, or not use what is in it.
bool is_against_seed(const YamlValue& config) {
  if (!setting_against_mounts(config).empty() || is_login_disabled(config)) return true;
  if (const auto* sources = find_entry(config, "datasource_list"); sources != nullptr) {
    const auto& names = sources->items;
    const auto ours = std::find(names.begin(), names.end(), YamlValue::of("NoCloud"));
    if (ours == names.end()) return true;
  }
  const auto* sources = find_entry(config, "datasource");
  const auto* ours = sources == nullptr ? nullptr : find_entry(*sources, "NoCloud");
  if (ours == nullptr) return false;
  const auto* label = find_entry(*ours, "fs_label");
  const bool is_another_label = label != nullptr && ascii_lower(label->text) != "cidata";
  const auto* address = find_entry(*ours, "seedfrom");
  return is_another_label || (address != nullptr && !address->text.empty());
}

/// What sets something in cloud-init without naming a seed.
std::optional<SeedWord> find_settings(std::string_view line) {
  if (const auto found = find_inline_config(line)) {
    // What is no map has no effect.
    const auto config = read_yaml(found->yaml).value;
    if (config.is_map() && !config.entries.empty()) {
      return SeedWord{found->text, is_against_seed(config) ? Effect::replaces : Effect::configures};
    }
  }
  for (const auto word : split(line, " \t\r\n")) {
    for (const auto* key : {"cloud-config-url", "url"}) {
      const auto url = value_of(word, key);
      if (url && !url->empty()) return SeedWord{std::string(word), Effect::configures};
    }
  }
  return std::nullopt;
}

void report(const SeedWord& found, const std::string& subject, const std::string& origin,
            Findings& findings) {
  if (found.effect != Effect::replaces) {
    findings.warnings.push_back(fmt::format(
        "{}: '{}': {}", subject, found.word,
        found.effect == Effect::adds
            ? "the guest takes its name or its id from there and not from ours"
            : "the guest's cloud-init takes settings from there too, which may undo some of ours"));
    return;
  }
  findings.problems.push_back(
      {fmt::format("{}: with '{}' the guest would not take our seed, in which its login and the "
                   "mounts of its shares are",
                   subject, found.word),
       origin,
       "leave it out; or set CLOUD_INIT=0, see to the login in the guest, and mount the shares by "
       "hand"});
}

/// A number as QEMU reads it: "1", "0x1", "01".
std::optional<std::uint64_t> read_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with('0')) {
    base = 8;
  }
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

/// The serial number of the last `-smbios type=1` that has one.
std::string serial_in(const std::vector<QemuOptionWords>& options) {
  std::string serial;
  for (const auto& option : options) {
    if (option.name != "smbios") continue;
    const auto keys = read_keys(option.value);
    const bool is_system = read_number(last_value(keys, "type")) == std::uint64_t{1};
    const auto value = last_value(keys, "serial");
    if (is_system && !value.empty()) serial = value;
  }
  return serial;
}

/// cloud-init knows a disk with a seed by its label.
void check_disks(const std::vector<std::string>& words, const Host& host,
                 const std::string& subject, const std::string& origin, Findings& findings) {
  for (const auto& drive : find_own_drives(words)) {
    const auto path = absolute_path(drive.path, {}, host.working_folder);
    const auto& label = facts_of(path, host).contents.label;
    if (label != "cidata" && label != "CIDATA") continue;
    findings.problems.push_back(
        {fmt::format(
             "{}: '{}' is a seed of its own (its label is {}), and the guest takes only one "
             "of the two",
             subject, drive.path, label),
         origin,
         "leave it out and give what is in it as CLOUD_INIT_USER_DATA; or set CLOUD_INIT=0, see to "
         "the login in it, and mount the shares by hand"});
  }
}

void check_arguments(const std::vector<std::string>& words, const std::string& subject,
                     const std::string& origin, Findings& findings) {
  const auto options = split_options(words);
  if (const auto found = find_seed_word_in_serial(serial_in(options))) {
    report(*found, subject, origin, findings);
  }
  for (const auto& option : options) {
    if (option.name != "append") continue;
    if (const auto found = find_seed_word(option.value)) report(*found, subject, origin, findings);
  }
}

}  // namespace

std::optional<SeedWord> find_seed_word(std::string_view command_line) {
  auto word = find_word(command_line, false);
  if (word && word->effect == Effect::replaces) return word;
  auto settings = find_settings(command_line);
  const bool is_first = settings && (!word || settings->effect == Effect::replaces);
  return is_first ? settings : word;
}

std::optional<SeedWord> find_seed_word_in_serial(std::string_view serial) {
  return find_word(serial, true);
}

void check_second_seed(const Config& config, const Host& host, const std::string& guest_cmdline,
                       Findings& findings) {
  const auto& own = config.cmdline;
  if (const auto found = find_seed_word(own.value)) {
    report(*found, own.origin.variable, describe(own.origin), findings);
  }
  if (const auto found = find_seed_word(guest_cmdline)) {
    report(*found, "the guest's own kernel command line", describe(config.base_image.origin),
           findings);
  }
  const auto& extra = config.extra_args;
  check_arguments(extra.value, extra.origin.variable, describe(extra.origin), findings);
  check_disks(extra.value, host, extra.origin.variable, describe(extra.origin), findings);
  const std::string behind = "behind -- (command line)";
  check_arguments(config.qemu_args, "QEMU arguments", behind, findings);
  check_disks(config.qemu_args, host, "QEMU arguments", behind, findings);
}

}  // namespace vmr
