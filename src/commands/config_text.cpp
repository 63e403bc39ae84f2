// SPDX-License-Identifier: MIT
#include "commands/config_text.hpp"

#include "base/printable.hpp"
#include "base/shell_words.hpp"
#include "base/utf8.hpp"
#include "config/print_toml.hpp"
#include "config/secrets.hpp"
#include "config/settings.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace vmr {
namespace {

namespace json = boost::json;

const SettingKey extra_args{0, "EXTRA_ARGS"};

/// A setting of the tables, and what was said of it.
struct Row {
  SettingKey key;
  Given<std::string> text;  ///< its default, where nobody has given it
  bool is_masked = false;
  std::string more_origin{};  ///< where more of it came from
};

/// Masks what has a secret in it, unless it is to be shown.
void mask(Row& row, const SaidConfig& said) {
  const bool secret = is_secret(row.key) ? !row.text.value.empty()
                                         : row.key == extra_args && has_secret(row.text.value);
  row.is_masked = secret && !said.show_secrets;
}

template <typename Target>
void add_rows(std::vector<Row>& rows, std::span<const Setting<Target>> settings, int share,
              const SaidConfig& said) {
  for (const auto& setting : settings) {
    Row row{{share, std::string(setting.name)}, {}, false, {}};
    const auto given = said.given.find(row.key);
    if (given != said.given.end()) {
      row.text = given->second;
    } else {
      row.text = {std::string(setting.default_value),
                  {Source::default_value, variable_of(row.key), {}}};
    }
    mask(row, said);
    rows.push_back(std::move(row));
  }
}

/// Every setting there is, those of the VM first.
std::vector<Row> all_rows(const SaidConfig& said) {
  std::vector<Row> rows;
  add_rows(rows, vm_settings(), 0, said);
  std::set<int> shares;
  for (const auto& [key, text] : said.given) {
    if (key.share != 0) shares.insert(key.share);
  }
  for (const int share : shares) add_rows(rows, share_settings(), share, said);
  return rows;
}

/// The words behind `--` follow those of EXTRA_ARGS, as they do on QEMU's command line.
void join_qemu_args(Row& row, const SaidConfig& said) {
  const auto& words = said.qemu_args;
  if (words.empty()) return;
  const std::string behind = "behind --";
  if (row.text.is_default()) {
    row.text = {shell_join(words), {Source::command_line, row.key.name, behind}};
  } else {
    row.text.value += " " + shell_join(words);
    row.more_origin = behind;
  }
  mask(row, said);
}

std::string comment_of(const Row& row, const ConfigOutcome& outcome) {
  auto comment = describe(row.text.origin);
  if (!row.more_origin.empty()) comment += "; " + row.more_origin;
  if (row.is_masked) comment += "; --show-secrets shows it";
  if (!fits_toml(row.text.value)) {
    comment +=
        fmt::format("; not UTF-8, which this file has to be: set {} itself", variable_of(row.key));
  }
  const auto chosen = outcome.chosen.find(row.key);
  const bool is_new = chosen != outcome.chosen.end() && chosen->second != row.text.value;
  if (is_new && !chosen->second.empty()) comment += " → " + chosen->second;
  return comment;
}

std::string_view word_for(Source source) {
  switch (source) {
    case Source::default_value:
      return "default";
    case Source::file:
      return "file";
    case Source::environment:
      return "environment";
    case Source::command_line:
      return "command line";
  }
  return {};
}

json::object to_json(const Row& row, const ConfigOutcome& outcome) {
  json::object object = {{"name", variable_of(row.key)}, {"value", nullptr}};
  const bool has_value = !row.text.value.empty() && !row.is_masked;
  if (has_value) object["value"] = to_utf8(row.text.value);
  object["source"] = std::string(word_for(row.text.origin.source));
  const auto& place = row.text.origin.place;
  if (!place.empty()) object["place"] = to_utf8(place);
  if (row.is_masked) object["masked"] = true;
  const auto chosen = outcome.chosen.find(row.key);
  if (chosen != outcome.chosen.end()) object["chosen"] = to_utf8(chosen->second);
  return object;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g}", std::chrono::duration<double>(time).count());
}

}  // namespace

ConfigOutcome outcome_of(const VmSpec& spec, const LaunchPlan& plan) {
  ConfigOutcome outcome;
  outcome.shares = plan.shares;
  std::vector<std::string_view> accelerators;
  for (const auto accelerator : spec.accelerators) accelerators.push_back(word_for(accelerator));
  outcome.chosen = {
      {{0, "ACCEL"}, fmt::format("{}", fmt::join(accelerators, ", else "))},
      {{0, "ARCH"}, std::string(word_for(spec.architecture))},
      {{0, "MACHINE"}, spec.machine},
      {{0, "BASE_IMAGE"}, spec.disk ? spec.disk->image : ""},
      {{0, "KERNEL"}, spec.boot.kernel},
      {{0, "INITRD"}, spec.boot.initrd},
      {{0, "CMDLINE"}, spec.boot.cmdline},
      {{0, "SSH_PORT"},
       spec.ssh.port == 0 ? "0" : fmt::format("{}:{}", spec.ssh.address, spec.ssh.port)},
      {{0, "START_TIMEOUT"}, seconds(spec.start_timeout)},
      {{0, "STOP_TIMEOUT"}, seconds(spec.stop_timeout)},
      {{0, "HOTPLUG_SHARES"}, std::to_string(spec.hotplug_shares)}};
  for (const auto& share : spec.shares) {
    const auto choose = [&](std::string name, std::string value) {
      outcome.chosen[{share.number, std::move(name)}] = std::move(value);
    };
    choose("SOURCE", share.source);
    choose("TARGET", share.tag);
    choose("DRIVER", std::string(word_for(share.driver)));
    choose("MOUNT", share.mount);
    if (share.driver == Driver::virtiofs) choose("SANDBOX", std::string(word_for(share.sandbox)));
  }
  return outcome;
}

std::string config_as_toml(const SaidConfig& said, const ConfigOutcome& outcome) {
  TomlNotes notes;
  for (const auto& share : outcome.shares) {
    notes.shares[share.share.number] = {describe(share.share)};
  }
  std::vector<TomlLine> lines;
  for (auto& row : all_rows(said)) {
    if (row.key == extra_args) join_qemu_args(row, said);
    const bool is_comment = row.text.is_default() || row.is_masked || !fits_toml(row.text.value);
    lines.push_back(
        {row.key, row.is_masked ? "…" : row.text.value, comment_of(row, outcome), is_comment});
  }
  return print_toml(lines, notes);
}

std::string config_as_json(const SaidConfig& said, const ConfigOutcome& outcome) {
  json::array settings;
  for (const auto& row : all_rows(said)) settings.push_back(to_json(row, outcome));
  json::array shares;
  for (const auto& share : outcome.shares) shares.push_back(to_json(share));
  auto qemu_args = said.qemu_args;
  if (!said.show_secrets) {
    for (auto& word : qemu_args) word = without_secrets(word);
  }
  const json::object object = {{"settings", std::move(settings)},
                               {"qemu_args", to_json(qemu_args)},
                               {"shares", std::move(shares)}};
  return json_line(object);
}

std::vector<std::string> unprintable_settings(const SaidConfig& said) {
  std::vector<std::string> variables;
  for (auto& row : all_rows(said)) {
    if (row.key == extra_args) join_qemu_args(row, said);
    if (!fits_toml(row.text.value) && !row.is_masked) variables.push_back(variable_of(row.key));
  }
  return variables;
}

}  // namespace vmr
