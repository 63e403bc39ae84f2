// SPDX-License-Identifier: MIT
#include "spec/later_boots.hpp"

#include "base/base64.hpp"
#include "base/gzip.hpp"
#include "spec/vendor_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace vmr {
namespace {

using Faults = std::vector<std::string>;
using Words = std::vector<std::string_view>;

constexpr std::string_view blanks = " \t\r\n";

bool has_any(const Words& words, std::initializer_list<std::string_view> wanted) {
  return std::any_of(words.begin(), words.end(), [&](auto word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
  });
}

Words split(std::string_view text, std::string_view separators) {
  Words words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
    if (text.empty()) return words;
    const auto word = text.substr(0, text.find_first_of(separators));
    words.push_back(word);
    text.remove_prefix(word.size());
  }
}

/// What `command` turns cloud-init off with; empty: nothing that is known.
std::string_view find_switch(std::string_view command) {
  constexpr std::string_view marker = "cloud-init.disabled";
  constexpr std::string_view kernel_word = "cloud-init=disabled";
  const auto words = split(command, " \t\r\n'\"(){}");
  // Who looks for the marker or removes it does not make it.
  const bool only_looks =
      has_any(words, {"rm", "unlink", "test", "[", "[[", "ls", "cat", "grep", "stat"});
  if (!only_looks && command.find(marker) != command.npos) return marker;
  if (!only_looks && command.find(kernel_word) != command.npos) return kernel_word;
  const bool names_unit = std::any_of(words.begin(), words.end(), [](std::string_view word) {
    return word.starts_with("cloud-init");
  });
  if (!names_unit) return {};
  if (has_any(words, {"systemctl"}) && has_any(words, {"disable", "mask"})) {
    return "systemctl disable";
  }
  const bool removes =
      has_any(words, {"apt", "apt-get", "aptitude", "dnf", "yum", "zypper", "dpkg", "apk"}) &&
      has_any(words, {"purge", "--purge", "remove", "autoremove", "erase", "del", "-P", "-r"});
  return removes ? "its removal" : "";
}

void add_switch(std::string_view found, Faults& faults) {
  if (!found.empty()) faults.push_back(fmt::format("it turns cloud-init off ({})", found));
}

/// runcmd, bootcmd: each a text or a list of words.
void look_at_commands(const YamlValue* commands, Faults& faults) {
  if (commands == nullptr) return;
  for (const auto& command : commands->items) {
    std::string text = command.text;
    for (const auto& word : command.items) text += " " + word.text;
    const auto found = find_later_faults(std::string_view(text));
    faults.insert(faults.end(), found.begin(), found.end());
  }
}

/// "/var//lib/" as "/var/lib".
std::string normal_path(std::string_view path) {
  std::string whole;
  for (const auto part : split(path, "/")) {
    if (part != ".") whole.append("/").append(part);
  }
  return whole;
}

std::string text_of(const YamlValue& entry, const char* key) {
  const auto* value = find_entry(entry, key);
  return value == nullptr ? std::string() : value->text;
}

/// The contents of a file of write_files.
std::string contents_of(const YamlValue& file) {
  constexpr std::size_t longest = 1 << 20;
  const auto encoding = text_of(file, "encoding");
  auto text = text_of(file, "content");
  if (encoding.find("b64") != encoding.npos || encoding.find("base64") != encoding.npos) {
    text = decode_base64(text);
  }
  if (encoding.starts_with("gz")) {
    if (auto expanded = gunzip(text, longest)) text = std::move(expanded->bytes);
  }
  return text;
}

/// What is wrong with settings, wherever they are.
void look_at_settings(const YamlValue& config, const std::string& whose, Faults& faults) {
  if (const auto* sources = find_entry(config, "datasource_list"); sources != nullptr) {
    const auto& names = sources->items;
    const bool has_ours =
        std::find(names.begin(), names.end(), YamlValue::of("NoCloud")) != names.end();
    if (sources->is_list() && !has_ours) {
      faults.push_back(whose + "datasource_list is without NoCloud");
    }
  }
  const auto* clean = find_entry(config, "manual_cache_clean");
  if (clean != nullptr && is_true(*clean)) {
    faults.push_back(whose + "manual_cache_clean keeps what the first boot was told");
  }
}

void look_at_files(const YamlValue* files, Faults& faults) {
  if (files == nullptr) return;
  for (const auto& file : files->items) {
    const auto path = normal_path(text_of(file, "path"));
    if (path == "/etc/cloud/cloud-init.disabled") add_switch("cloud-init.disabled", faults);
    const auto contents = contents_of(file);
    const auto found = find_later_faults(std::string_view(contents));
    faults.insert(faults.end(), found.begin(), found.end());
    const bool is_settings =
        path == "/etc/cloud/cloud.cfg" ||
        (path.starts_with("/etc/cloud/cloud.cfg.d/") && path.ends_with(".cfg"));
    if (!is_settings) continue;
    const auto config = read_yaml(contents);
    if (!config.problem.empty()) continue;
    const auto whose = "in " + path + " ";
    look_at_settings(config.value, whose, faults);
    const auto setting = setting_against_mounts(config.value);
    if (!setting.empty()) faults.push_back(whose + "'" + setting + "' turns vendor-data off");
  }
}

/// The last of the options counts that says whether programs may be run.
bool is_without_exec(std::string_view options) {
  bool is_without = false;
  for (const auto option : split(options, ", ")) {
    if (option == "noexec" || option == "user" || option == "users") is_without = true;
    if (option == "exec") is_without = false;
  }
  return is_without;
}

/// Our mounts are a program below this folder.
bool holds_boothooks(const std::string& path) {
  const std::string boothooks = "/var/lib/cloud/instances/";
  return !path.empty() && boothooks.starts_with(path + "/");
}

void look_at_mounts(const YamlValue& config, Faults& faults) {
  const auto* mounts = find_entry(config, "mounts");
  if (mounts == nullptr) return;
  std::string default_options;
  const auto* fields = find_entry(config, "mount_default_fields");
  if (fields != nullptr && fields->items.size() > 3) default_options = fields->items[3].text;
  for (const auto& mount : mounts->items) {
    if (mount.items.size() < 2) continue;
    const auto path = normal_path(mount.items[1].text);
    const bool has_own = mount.items.size() > 3 && mount.items[3].kind != YamlValue::Kind::null;
    const auto& options = has_own ? mount.items[3].text : default_options;
    if (holds_boothooks(path) && is_without_exec(options)) {
      faults.push_back(
          fmt::format("it mounts {} without exec, and cloud-init could not run the "
                      "script there that mounts the shares",
                      path));
    }
  }
}

void drop_doubles(Faults& faults) {
  Faults once;
  for (auto& fault : faults) {
    if (std::find(once.begin(), once.end(), fault) == once.end()) once.push_back(std::move(fault));
  }
  faults = std::move(once);
}

}  // namespace

Faults find_later_faults(const YamlValue& config) {
  Faults faults;
  look_at_settings(config, "its ", faults);
  look_at_files(find_entry(config, "write_files"), faults);
  look_at_commands(find_entry(config, "bootcmd"), faults);
  look_at_commands(find_entry(config, "runcmd"), faults);
  look_at_mounts(config, faults);
  drop_doubles(faults);
  return faults;
}

Faults find_later_faults(std::string_view script) {
  Faults faults;
  for (const auto line : split(script, "\n")) {
    if (line.find("cloud-init") == line.npos) continue;
    if (const auto start = line.find_first_not_of(blanks); line[start] == '#') continue;
    for (const auto command : split(line, ";&|")) add_switch(find_switch(command), faults);
  }
  drop_doubles(faults);
  return faults;
}

}  // namespace vmr
