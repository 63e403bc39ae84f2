// SPDX-License-Identifier: MIT
#include "base/qemu_words.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace vmr {
namespace {

// A name a line would be as long as the file.
// clang-format off
/// Options that always have a value.
constexpr auto valued = std::to_array<std::string_view>({
    "accel", "acpitable", "action", "add-fd", "append", "async-teardown", "audio", "audiodev",
    "bios", "blockdev", "boot", "cdrom", "chardev", "chroot", "compat", "cpu", "d", "D",
    "debugcon", "device", "dfilter", "display", "drive", "dtb", "dump-vmstate", "echr", "fda",
    "fdb", "fsdev", "fw_cfg", "g", "gdb", "global", "hda", "hdb", "hdc", "hdd", "icount", "igvm",
    "incoming", "initrd", "iscsi", "k", "kernel", "L", "loadvm", "M", "m", "machine", "mem-path",
    "mon", "monitor", "msg", "mtdblock", "name", "net", "netdev", "nic", "numa", "object",
    "option-rom", "overcommit", "parallel", "pflash", "pidfile", "plugin", "prom-env", "qmp",
    "qmp-pretty", "qtest", "qtest-log", "readconfig", "rotate", "rtc", "run-with", "runas",
    "sandbox", "sd", "seed", "semihosting-config", "serial", "set", "shim", "smbios", "smp",
    "spice", "tb-size", "tpmdev", "trace", "usbdevice", "user", "uuid", "vga", "virtfs", "vnc",
    "watchdog-action", "writeconfig", "xen-attach", "xen-domid"});

/// Options that have none, so that a word behind them is a disk.
constexpr auto flags = std::to_array<std::string_view>({
    "curses", "daemonize", "enable-kvm", "enable-sync-profile", "full-screen", "gtk", "jitdump",
    "mem-prealloc", "no-acpi", "no-fd-bootchk", "no-hpet", "no-reboot", "no-shutdown",
    "no-user-config", "nodefaults", "nographic", "one-insn-per-tb", "only-migratable", "perfmap",
    "portrait", "preconfig", "S", "s", "sdl", "semihosting", "singlestep", "snapshot", "usb",
    "win2k-hack", "xen-domid-restrict"});
// clang-format on

/// Takes the text up to the next single comma; a doubled one stands for itself.
std::string take_item(std::string_view& rest) {
  std::string item;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == ',') {
      if (!rest.starts_with(',')) break;
      rest.remove_prefix(1);
    }
    item += c;
  }
  return item;
}

std::string key_of(const std::string& key) {
  return key == "qom-type" || key == "driver" ? "" : key;
}

/// JSON is YAML too.
QemuKeys read_json(const std::string& text) {
  QemuKeys keys;
  try {
    for (const auto& member : YAML::Load(text)) {
      if (!member.second.IsScalar()) continue;
      keys.emplace(key_of(member.first.as<std::string>()), member.second.as<std::string>());
    }
  } catch (const YAML::Exception&) {
    // Not ours to judge: QEMU says what is wrong.
    return {};
  }
  return keys;
}

}  // namespace

std::string without_json_escapes(const std::string& written, char quote) {
  try {
    return YAML::Load(quote + written + quote).as<std::string>();
  } catch (const YAML::Exception&) {
    return written;
  }
}

QemuKeys read_keys(const std::string& text) {
  if (text.starts_with('{')) return read_json(text);
  QemuKeys keys;
  std::string_view rest = text;
  for (bool first = true; !rest.empty(); first = false) {
    const auto item = take_item(rest);
    const auto equals = item.find('=');
    if (equals != item.npos) {
      keys.emplace(key_of(item.substr(0, equals)), item.substr(equals + 1));
    } else if (first) {
      keys.emplace("", item);
    } else {
      // QEMU's short form of a switch: "server", "nowait".
      const bool is_off = item.starts_with("no");
      keys.emplace(key_of(is_off ? item.substr(2) : item), is_off ? "off" : "on");
    }
  }
  return keys;
}

std::string last_value(const QemuKeys& keys, const std::string& key) {
  const auto end = keys.upper_bound(key);
  return end == keys.lower_bound(key) ? std::string() : std::prev(end)->second;
}

bool is_on(std::string_view value) {
  return value == "on" || value == "yes" || value == "true" || value == "y";
}

bool is_option(std::string_view word, std::string_view name) {
  return word.starts_with('-') && word.substr(word.starts_with("--") ? 2 : 1) == name;
}

bool takes_value(std::string_view name) {
  return std::find(valued.begin(), valued.end(), name) != valued.end();
}

bool is_known_option(std::string_view name) {
  return takes_value(name) || std::find(flags.begin(), flags.end(), name) != flags.end();
}

std::vector<QemuOptionWords> split_options(const std::vector<std::string>& words) {
  std::vector<QemuOptionWords> options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    QemuOptionWords option{"", "", word, {word}};
    if (word.starts_with('-')) {
      option.name = word.substr(word.starts_with("--") ? 2 : 1);
      const bool is_flag = is_known_option(option.name) && !takes_value(option.name);
      const bool may_take = i + 1 < words.size() && !is_flag;
      if (may_take && (takes_value(option.name) || !words[i + 1].starts_with('-'))) {
        option.value = words[++i];
        option.text += " " + option.value;
        option.words.push_back(option.value);
      }
    }
    options.push_back(std::move(option));
  }
  return options;
}

}  // namespace vmr
