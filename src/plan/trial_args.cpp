// SPDX-License-Identifier: MIT
#include "plan/trial_args.hpp"

#include "base/qemu_words.hpp"
#include "base/shell_words.hpp"
#include "config/own_drives.hpp"
#include "plan/option_effects.hpp"
#include "plan/qemu_plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace vmr {
namespace {

template <typename List>
bool contains(const List& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Option {
  bool is_users = false;
  std::string name;                ///< without dashes; empty: a disk image without an option
  std::vector<std::string> words;  ///< as they stand there
  QemuKeys keys;
  bool is_left_out = false;
  bool is_closed = false;  ///< it opens nothing outside
};

void read_options(const std::vector<std::string>& words, bool is_users,
                  std::vector<Option>& options) {
  for (const auto& word : split_options(words)) {
    Option option{is_users, word.name, {word.words}, read_keys(word.value)};
    options.push_back(std::move(option));
  }
}

bool is_own_network(const QemuKeys& keys) {
  return last_value(keys, "") == "user" &&
         std::none_of(keys.begin(), keys.end(), [](const auto& item) {
           const auto& key = item.first;
           return key == "hostfwd" || key == "guestfwd" || key.starts_with("smb") || key == "tftp";
         });
}

/// Whether the option opens nothing outside, though others of its name do.
bool is_closed(const Option& option) {
  const auto& name = option.name;
  const bool is_network = name == "netdev" || name == "nic" || name == "net";
  if (is_network && is_own_network(option.keys)) return true;
  const auto first = last_value(option.keys, "");
  return std::any_of(closed_kinds.begin(), closed_kinds.end(), [&](const ClosedKind& closed) {
    return closed.option == name && closed.kind == first;
  });
}

bool has_touching_kind(const Option& option) {
  if (option.name != "device" && option.name != "object") return false;
  const auto kind = last_value(option.keys, "");
  return std::any_of(touching_kinds.begin(), touching_kinds.end(),
                     [&](Names start) { return kind.starts_with(start); });
}

/// Whether the option touches something by itself.
bool touches(const Option& option) {
  const auto& name = option.name;
  if (option.is_closed) return false;
  if (!option.words.front().starts_with('-')) return true;
  if (contains(touching_flags, name)) return true;
  // QEMU refuses an option without its value before it does anything.
  if (takes_value(name) && option.words.size() == 1) return false;
  const auto first = last_value(option.keys, "");
  if (contains(listing, name) && (first == "help" || first == "?")) return false;
  if (name == "netdev" && is_own_network(option.keys)) return false;
  if (contains(touching, name) || has_touching_kind(option)) return true;
  return std::any_of(touching_keys.begin(), touching_keys.end(), [&](const TouchingKey& touch) {
    const auto value = last_value(option.keys, std::string(touch.key));
    return touch.option == name && !value.empty() && value != "off";
  });
}

/// The name in "chardev:NAME", or in "device.NAME.key" of -set; empty: none.
std::string name_inside(const Option& option, const std::string& key, const std::string& value) {
  constexpr std::string_view chardev = "chardev:";
  if (key.empty() && value.starts_with(chardev)) return value.substr(chardev.size());
  const auto dot = key.find('.');
  if (option.name != "set" || dot == key.npos) return {};
  return key.substr(dot + 1, key.find('.', dot + 1) - dot - 1);
}

/// Whether a value of the option is the name of one that is left out.
bool refers_to(const std::set<std::string>& names, const Option& option) {
  return std::any_of(option.keys.begin(), option.keys.end(), [&](const auto& item) {
    const auto& [key, value] = item;
    if (names.contains(name_inside(option, key, value))) return true;
    const bool is_name = key.empty() || key == "id" || key == "node-name";
    return !is_name && names.contains(value);
  });
}

void leave_out(Option& option, std::set<std::string>& names) {
  option.is_left_out = true;
  for (const auto* key : {"id", "node-name"}) {
    const auto name = last_value(option.keys, key);
    if (!name.empty()) names.insert(name);
  }
}

/// Leaves out what refers to `names`, and what refers to that.
void leave_out_referring(std::vector<Option>& options, std::set<std::string>& names) {
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    for (auto& option : options) {
      if (option.is_left_out || !refers_to(names, option)) continue;
      leave_out(option, names);
      is_changed = true;
    }
  }
}

/// Marks what touches something, and what refers to that.
void mark(std::vector<Option>& options) {
  const bool is_rewritten = std::any_of(options.begin(), options.end(), [](const auto& option) {
    return option.words.size() > 1 && contains(rewriting, option.name);
  });
  std::set<std::string> names;
  for (auto& option : options) {
    if (touches(option) || (option.is_users && is_rewritten)) leave_out(option, names);
  }
  leave_out_referring(options, names);
}

/// Whether a QEMU that is kept from touching anything would still take all memory with the option,
/// run what it names, or leave nobody to ask.
bool is_unbearable(const Option& option) {
  if (contains(unbearable, option.name)) return true;
  return option.name == "object" && is_on(last_value(option.keys, "prealloc"));
}

bool is_disk(const Option& option) {
  return contains(disks, option.name) || !option.words.front().starts_with('-');
}

using Words = std::vector<std::string>;

/// What of the user's `options` a guarded trial has without those for which `is_without` says so,
/// without what it cannot bear, and without what refers to either or to ours that are left out.
template <typename Without>
Words guarded_list(std::vector<Option> options, const Without& is_without) {
  std::set<std::string> names;
  for (auto& option : options) {
    const bool is_out =
        option.is_users ? is_unbearable(option) || is_without(option) : option.is_left_out;
    option.is_left_out = false;
    if (is_out) leave_out(option, names);
  }
  leave_out_referring(options, names);
  Words words;
  for (const auto& option : options) {
    if (!option.is_users || option.is_left_out) continue;
    words.insert(words.end(), option.words.begin(), option.words.end());
  }
  return words;
}

/// The lists of TrialArguments::guarded, when QEMU has been tried with `tried`.
std::vector<Words> guarded_lists(const std::vector<Option>& options, const Words& tried) {
  std::vector<Words> lists;
  const auto add = [&](Words words) {
    const bool is_new =
        words != tried && std::find(lists.begin(), lists.end(), words) == lists.end();
    if (is_new) lists.push_back(std::move(words));
  };
  // The file is read before anything is made of it; what it names of ours is not there.
  for (const auto& option : options) {
    if (option.name == "readconfig" && option.words.size() > 1)
      add({option.words[0], option.words[1], "-version"});
  }
  add(guarded_list(options, [](const Option&) { return false; }));
  add(guarded_list(options, is_disk));
  for (const auto& one : options) {
    if (!one.is_users || !is_disk(one)) continue;
    add(guarded_list(options, [&](const Option& option) {
      return option.is_left_out && option.words != one.words;
    }));
  }
  return lists;
}

bool is_reading_key(const std::string& key) {
  return contains(reading_keys, key) || std::any_of(reading_ends.begin(), reading_ends.end(),
                                                    [&](Names end) { return key.ends_with(end); });
}

bool looks_like_path(const std::string& value) {
  return value.starts_with('/') || value.starts_with("./") || value.starts_with("../");
}

bool has_slash(const std::string& word) {
  return word.find('/') != word.npos;
}

/// Whether the option opens a file. Of one that is not known here any slash says so.
bool names_file(const Option& option) {
  if (contains(plain_text, option.name)) return false;
  if (contains(reading, option.name)) return true;
  const bool is_known = is_known_option(option.name);
  if (!is_known) return std::any_of(option.words.begin(), option.words.end(), has_slash);
  // Names and serial numbers of these have slashes, and every key that opens a file is known.
  const bool is_table = option.name == "fw_cfg" || option.name == "smbios";
  return std::any_of(option.keys.begin(), option.keys.end(), [&](const auto& item) {
    const auto& [key, value] = item;
    if (value.empty()) return false;
    return is_reading_key(key) || (!is_table && looks_like_path(value));
  });
}

/// One of the user's own disks whose file is known by name.
bool is_own_drive(const Option& option) {
  return option.words.size() > 1 && read_own_drive(option.name, option.words[1]).has_value();
}

}  // namespace

TrialArguments trial_arguments(const QemuPlan& qemu) {
  std::vector<std::string> ours;
  std::vector<std::string> users;
  for (const auto& group : qemu.groups) {
    auto& words = is_users_group(group.name) ? users : ours;
    words.insert(words.end(), group.arguments.begin(), group.arguments.end());
  }
  std::vector<Option> options;
  read_options(ours, false, options);
  read_options(users, true, options);
  mark(options);
  TrialArguments trial;
  for (const auto& option : options) {
    if (option.is_left_out) {
      if (option.is_users) trial.untried.push_back(shell_join(option.words));
      continue;
    }
    auto& words = option.is_users ? trial.users : trial.ours;
    words.insert(words.end(), option.words.begin(), option.words.end());
  }
  if (trial.untried.empty()) return trial;
  trial.guarded = guarded_lists(options, trial.users);
  trial.guards_all = !trial.guarded.empty() && trial.guarded.front() == users;
  return trial;
}

bool reaches_outside(const QemuPlan& qemu) {
  const bool has_own =
      std::any_of(qemu.groups.begin(), qemu.groups.end(), [](const ArgumentGroup& group) {
        return is_users_group(group.name) && !group.arguments.empty();
      });
  if (!has_own) return false;  // as nearly always, and what follows takes its time
  std::vector<Option> options;
  for (const auto& group : qemu.groups) {
    if (is_users_group(group.name)) read_options(group.arguments, true, options);
  }
  // Of what refers to a disk only the disk counts.
  std::erase_if(options, is_own_drive);
  for (auto& option : options) option.is_closed = is_closed(option);
  mark(options);
  return std::any_of(options.begin(), options.end(),
                     [](const Option& option) { return option.is_left_out || names_file(option); });
}

}  // namespace vmr
