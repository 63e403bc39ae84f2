// SPDX-License-Identifier: MIT
#include "plan/trial_args.hpp"

#include "base/shell_words.hpp"
#include "plan/qemu_plan.hpp"
#include "spec/qemu_words.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace vmr {
namespace {

using Names = std::string_view;

/// Options that touch something outside, whatever their value is.
constexpr std::array touching =
    std::to_array<Names>({"D",          "add-fd",       "async-teardown",
                          "audio",      "audiodev",     "blockdev",
                          "cdrom",      "chardev",      "chroot",
                          "d",          "debugcon",     "display",
                          "drive",      "dump-vmstate", "fda",
                          "fdb",        "fsdev",        "gdb",
                          "hda",        "hdb",          "hdc",
                          "hdd",        "incoming",     "loadvm",
                          "mem-path",   "mon",          "monitor",
                          "mtdblock",   "net",          "netdev",
                          "nic",        "parallel",     "pflash",
                          "pidfile",    "plugin",       "qmp",
                          "qmp-pretty", "qtest",        "qtest-log",
                          "readconfig", "run-with",     "runas",
                          "sd",         "serial",       "set",
                          "spice",      "tpmdev",       "trace",
                          "usbdevice",  "user",         "virtfs",
                          "vnc",        "writeconfig",  "xen-attach",
                          "xen-domid"});

/// The same of options that have no value. With -preconfig QEMU would not come to the others.
constexpr std::array touching_flags =
    std::to_array<Names>({"curses", "daemonize", "gtk", "jitdump", "mem-prealloc", "nographic",
                          "perfmap", "preconfig", "s", "sdl"});

/// Options with which the others mean something else.
constexpr std::array rewriting = std::to_array<Names>({"readconfig", "set"});

/// The other options that always have a value.
constexpr std::array takers = std::to_array<Names>({"L",
                                                    "M",
                                                    "accel",
                                                    "acpitable",
                                                    "action",
                                                    "append",
                                                    "bios",
                                                    "boot",
                                                    "compat",
                                                    "cpu",
                                                    "device",
                                                    "dfilter",
                                                    "dtb",
                                                    "echr",
                                                    "fw_cfg",
                                                    "g",
                                                    "global",
                                                    "icount",
                                                    "igvm",
                                                    "initrd",
                                                    "iscsi",
                                                    "k",
                                                    "kernel",
                                                    "m",
                                                    "machine",
                                                    "msg",
                                                    "name",
                                                    "numa",
                                                    "object",
                                                    "option-rom",
                                                    "overcommit",
                                                    "prom-env",
                                                    "rotate",
                                                    "rtc",
                                                    "sandbox",
                                                    "seed",
                                                    "semihosting-config",
                                                    "shim",
                                                    "smbios",
                                                    "smp",
                                                    "tb-size",
                                                    "uuid",
                                                    "vga",
                                                    "watchdog-action"});

/// The other options that have none, so that a word behind them is a disk.
constexpr std::array flags = std::to_array<Names>({"S",
                                                   "enable-kvm",
                                                   "enable-sync-profile",
                                                   "full-screen",
                                                   "no-acpi",
                                                   "no-fd-bootchk",
                                                   "no-hpet",
                                                   "no-reboot",
                                                   "no-shutdown",
                                                   "no-user-config",
                                                   "nodefaults",
                                                   "only-migratable",
                                                   "one-insn-per-tb",
                                                   "portrait",
                                                   "semihosting",
                                                   "singlestep",
                                                   "snapshot",
                                                   "usb",
                                                   "win2k-hack",
                                                   "xen-domid-restrict"});

/// Options whose value "help" lists something and touches nothing.
constexpr std::array listing =
    std::to_array<Names>({"audiodev", "chardev", "d", "display", "netdev", "tpmdev", "trace"});

/// How the names of devices and objects begin that reach outside by themselves.
constexpr std::array touching_kinds = std::to_array<Names>({"AC97",
                                                            "ES1370",
                                                            "adlib",
                                                            "can-host",
                                                            "ccid-card-",
                                                            "colo-compare",
                                                            "cryptodev-",
                                                            "cs4231a",
                                                            "dbus-",
                                                            "filter-",
                                                            "gus",
                                                            "hda-",
                                                            "input-",
                                                            "iommufd",
                                                            "ivshmem",
                                                            "memory-backend-epc",
                                                            "memory-backend-file",
                                                            "memory-backend-shm",
                                                            "pr-manager-",
                                                            "qtest",
                                                            "rng-egd",
                                                            "sb16",
                                                            "secret_keyring",
                                                            "sev-",
                                                            "tdx-",
                                                            "tls-creds-",
                                                            "tpm-",
                                                            "u2f-",
                                                            "usb-audio",
                                                            "usb-braille",
                                                            "usb-host",
                                                            "usb-mtp",
                                                            "vfio-",
                                                            "vhost-",
                                                            "virtio-gpu-gl",
                                                            "virtio-gpu-rutabaga",
                                                            "virtio-input-host",
                                                            "virtio-snd",
                                                            "virtio-sound",
                                                            "virtio-vga-gl",
                                                            "virtio-vga-rutabaga",
                                                            "x-remote-",
                                                            "x-vfio-"});

/// Keys with which an option does.
struct TouchingKey {
  std::string_view option;
  std::string_view key;
};
constexpr std::array touching_keys = std::to_array<TouchingKey>({{"machine", "dumpdtb"},
                                                                 {"M", "dumpdtb"},
                                                                 {"icount", "rr"},
                                                                 {"object", "prealloc"},
                                                                 {"overcommit", "mem-lock"}});

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
};

bool is_taker(std::string_view name) {
  return contains(takers, name) || contains(touching, name);
}

/// Whether `next`, the word behind the option, is its value; of an unknown one it looks like it.
bool takes(std::string_view name, std::string_view next) {
  if (contains(flags, name) || contains(touching_flags, name)) return false;
  return is_taker(name) || !next.starts_with('-');
}

void read_options(const std::vector<std::string>& words, bool is_users,
                  std::vector<Option>& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    Option option{is_users, "", {words[i]}, {}, false};
    if (words[i].starts_with('-')) {
      option.name = words[i].substr(words[i].starts_with("--") ? 2 : 1);
      if (i + 1 < words.size() && takes(option.name, words[i + 1])) {
        option.words.push_back(words[++i]);
        option.keys = read_keys(words[i]);
      }
    }
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

bool has_touching_kind(const Option& option) {
  if (option.name != "device" && option.name != "object") return false;
  const auto kind = last_value(option.keys, "");
  return std::any_of(touching_kinds.begin(), touching_kinds.end(),
                     [&](Names start) { return kind.starts_with(start); });
}

/// Whether the option touches something by itself.
bool touches(const Option& option) {
  const auto& name = option.name;
  if (!option.words.front().starts_with('-')) return true;
  if (contains(touching_flags, name)) return true;
  // QEMU refuses an option without its value before it does anything.
  if (is_taker(name) && option.words.size() == 1) return false;
  const auto first = last_value(option.keys, "");
  if (contains(listing, name) && (first == "help" || first == "?")) return false;
  if (name == "netdev" && is_own_network(option.keys)) return false;
  if (contains(touching, name) || has_touching_kind(option)) return true;
  return std::any_of(touching_keys.begin(), touching_keys.end(), [&](const TouchingKey& touch) {
    const auto value = last_value(option.keys, std::string(touch.key));
    return touch.option == name && !value.empty() && value != "off";
  });
}

/// Whether a value of the option is the name of one that is left out.
bool refers_to(const std::set<std::string>& names, const Option& option) {
  return std::any_of(option.keys.begin(), option.keys.end(), [&](const auto& item) {
    const bool is_name = item.first.empty() || item.first == "id" || item.first == "node-name";
    return !is_name && names.contains(item.second);
  });
}

void leave_out(Option& option, std::set<std::string>& names) {
  option.is_left_out = true;
  for (const auto* key : {"id", "node-name"}) {
    const auto name = last_value(option.keys, key);
    if (!name.empty()) names.insert(name);
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
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    for (auto& option : options) {
      if (option.is_left_out || !refers_to(names, option)) continue;
      leave_out(option, names);
      is_changed = true;
    }
  }
}

/// Options that name a file to read, and keys that do.
constexpr std::array reading = std::to_array<Names>(
    {"L", "acpitable", "bios", "dtb", "igvm", "initrd", "kernel", "option-rom", "shim"});
constexpr std::array reading_keys = std::to_array<Names>(
    {"bios", "dtb", "file", "filename", "firmware", "initrd", "kernel", "path", "romfile"});

bool names_file(const Option& option) {
  const auto has_slash = [](const std::string& word) { return word.find('/') != word.npos; };
  return contains(reading, option.name) ||
         std::any_of(option.words.begin(), option.words.end(), has_slash) ||
         std::any_of(option.keys.begin(), option.keys.end(),
                     [](const auto& item) { return contains(reading_keys, item.first); });
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
  return trial;
}

bool reaches_outside(const QemuPlan& qemu) {
  const bool has_own =
      std::any_of(qemu.groups.begin(), qemu.groups.end(), [](const ArgumentGroup& group) {
        return is_users_group(group.name) && !group.arguments.empty();
      });
  if (!has_own) return false;  // as nearly always, and what follows takes its time
  const auto trial = trial_arguments(qemu);
  std::vector<Option> options;
  read_options(trial.users, true, options);
  return !trial.untried.empty() || std::any_of(options.begin(), options.end(), names_file);
}

}  // namespace vmr
