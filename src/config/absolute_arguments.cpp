// SPDX-License-Identifier: MIT
#include "config/absolute_arguments.hpp"

#include "base/qemu_words.hpp"
#include "config/own_drives.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace vmr {
namespace {

using Names = std::string_view;

/// What a value is.
enum class Meaning {
  text,
  path,
  drive,      ///< a path, or a protocol with one in it
  installed,  ///< a path, or the name of a file among QEMU's data
  paths,      ///< some, with a colon between
  command,    ///< what a shell or another program reads
};

/// Options whose whole value is a path.
constexpr auto whole_paths = std::to_array<Names>(
    {"D", "L", "chroot", "dtb", "dump-vmstate", "igvm", "initrd", "k", "kernel", "mem-path",
     "pidfile", "qtest-log", "readconfig", "shim", "writeconfig"});
/// Options whose whole value is the file of a disk.
constexpr auto whole_drives = std::to_array<Names>(
    {"cdrom", "fda", "fdb", "hda", "hdb", "hdc", "hdd", "mtdblock", "pflash", "sd"});
/// Options whose value is a chardev in its short form, or begins like one: "file:x", "unix:x,to=1".
constexpr auto short_chardevs =
    std::to_array<Names>({"debugcon", "gdb", "incoming", "monitor", "parallel", "qmp", "qmp-pretty",
                          "qtest", "serial", "vnc"});
/// Options whose value is text for the guest or a name, be it like a path.
constexpr auto plain_text = std::to_array<Names>({"append", "cpu", "name", "prom-env", "uuid"});

/// How the keys end that name a file.
constexpr auto path_ends = std::to_array<Names>({"file", "filename", "path", "dir"});

/// A key that means something else than its end says.
struct KeyMeaning {
  Names option;  ///< empty: any
  Names key;     ///< without what stands before its last dot
  Meaning meaning;
};
constexpr auto key_meanings = std::to_array<KeyMeaning>({
    {"", "bootfile", Meaning::text},
    {"", "romfile", Meaning::installed},
    {"M", "dtb", Meaning::path},
    {"M", "dumpdtb", Meaning::path},
    {"M", "firmware", Meaning::installed},
    {"M", "initrd", Meaning::path},
    {"M", "kernel", Meaning::path},
    {"M", "shim", Meaning::path},
    {"acpitable", "data", Meaning::paths},
    {"acpitable", "file", Meaning::paths},
    {"blockdev", "config", Meaning::path},
    {"blockdev", "file", Meaning::text},  // the name of another blockdev
    {"boot", "splash", Meaning::installed},
    {"device", "cert", Meaning::path},
    {"device", "counter", Meaning::path},
    {"device", "entropy", Meaning::path},
    {"device", "evdev", Meaning::path},
    {"device", "initrd", Meaning::path},
    {"device", "kernel", Meaning::path},
    {"device", "privkey", Meaning::path},
    {"device", "pubkey", Meaning::path},
    {"drive", "config", Meaning::path},
    {"fsdev", "socket", Meaning::path},
    {"netdev", "downscript", Meaning::path},
    {"netdev", "guestfwd", Meaning::command},
    {"netdev", "helper", Meaning::command},
    {"netdev", "script", Meaning::path},
    {"netdev", "smb", Meaning::path},
    {"netdev", "sock", Meaning::path},
    {"netdev", "tftp", Meaning::path},
    {"object", "evdev", Meaning::path},
    {"run-with", "chroot", Meaning::path},
    {"trace", "events", Meaning::path},
    {"virtfs", "socket", Meaning::path},
});

/// Block drivers whose paths are another machine's.
constexpr auto remote_drivers =
    std::to_array<Names>({"gluster", "nfs", "ssh", "rbd", "http", "https"});

template <typename List>
bool contains(const List& names, Names name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Options that take the same keys.
Names family_of(Names option) {
  if (option == "machine") return "M";
  return option == "net" || option == "nic" ? "netdev" : option;
}

Names after_last_dot(Names key) {
  return key.substr(key.rfind('.') + 1);  // without one: all of it
}

std::string doubled_commas(const std::string& text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == ',' ? 2 : 1, c);
  return doubled;
}

/// An item up to the next single comma, as it was written and as it is meant.
struct Item {
  std::string written;
  std::string meant;
};

Item take_item(Names& rest) {
  Item item;
  while (!rest.empty()) {
    if (rest.starts_with(",,")) {
      item.written += ",,";
      item.meant += ',';
      rest.remove_prefix(2);
      continue;
    }
    if (rest.front() == ',') break;
    item.written += rest.front();
    item.meant += rest.front();
    rest.remove_prefix(1);
  }
  return item;
}

std::string quoted_for_json(const std::string& text, char quote) {
  std::string quoted;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      constexpr Names digits = "0123456789abcdef";
      quoted.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
      continue;
    }
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

class Rewriter {
 public:
  Rewriter(const std::string& folder, const std::function<bool(const std::string&)>& is_there)
      : start_(folder.ends_with('/') ? folder : folder + '/'), is_there_(is_there) {}

  void read(const QemuOptionWords& option) {
    const auto unread = unread_;
    auto words = option.words;
    if (option.name.empty() || words.size() > 1) {
      words.back() = option.name.empty() ? drive(words.back()) : value_of(option);
    }
    if (unread_ != unread) result_.unread.push_back(option.words.front());
    result_.words.insert(result_.words.end(), words.begin(), words.end());
  }

  [[nodiscard]] AbsoluteArguments take() { return std::move(result_); }

 private:
  /// What `is_there_` is asked of is as QEMU would open it: `..` stays.
  std::string path(const std::string& given) {
    const bool is_whole = given.starts_with('/');
    if (given.empty() || (!is_whole && given.find("://") != given.npos)) return given;
    result_.paths.push_back(is_whole ? given : start_ + given);
    return result_.paths.back();
  }

  std::string installed(const std::string& given) {
    if (given.empty()) return given;
    const auto whole = path(given);
    return is_there_(whole) ? whole : given;
  }

  std::string drive(const std::string& name) {
    if (name.empty() || is_plain_file(name)) return path(name);
    const auto colon = name.find(':');
    const auto scheme = name.substr(0, colon + 1);
    const auto rest = name.substr(colon + 1);
    if (scheme == "json:") return scheme + json("blockdev", rest);
    if (scheme == "file:") return scheme + path(rest);
    if (scheme == "fat:") {
      const auto last = name.rfind(':') + 1;
      return name.substr(0, last) + path(name.substr(last));
    }
    if (rest.starts_with("//") && name.find("socket=") == name.npos) return name;
    if (scheme == "nbd:" && !rest.starts_with("unix:")) return name;
    const bool is_known = name.find("socket=/") != name.npos || rest.starts_with("unix:/");
    if (!is_known) ++unread_;
    return name;
  }

  std::string colon_separated(Names given) {
    std::string whole;
    while (true) {
      const auto part = given.substr(0, given.find(':'));
      whole += path(std::string(part));
      if (part.size() == given.size()) return whole;
      whole += ':';
      given.remove_prefix(part.size() + 1);
    }
  }

  std::string rewritten(Meaning meaning, const std::string& value) {
    switch (meaning) {
      case Meaning::text:
        break;
      case Meaning::path:
        return path(value);
      case Meaning::drive:
        return drive(value);
      case Meaning::installed:
        return installed(value);
      case Meaning::paths:
        return colon_separated(value);
      case Meaning::command:
        if (value.starts_with('/')) result_.paths.push_back(value.substr(0, value.find(' ')));
        if (!value.starts_with('/') || value.find(' ') != value.npos) ++unread_;
        break;
    }
    return value;
  }

  static Meaning meaning_of(Names option, const QemuKeys& keys, Names key,
                            const std::string& value) {
    option = family_of(option);
    const auto name = after_last_dot(key);
    if (option == "drive" && name == "file") return key == "file" ? Meaning::drive : Meaning::text;
    for (const auto& row : key_meanings) {
      if (row.key != name || (!row.option.empty() && row.option != option)) continue;
      const bool is_switch = value == "no" && name.ends_with("script");
      const bool runs_nothing = name == "guestfwd" && value.find("-cmd:") == value.npos;
      return is_switch || runs_nothing ? Meaning::text : row.meaning;
    }
    if (option == "spice" && name == "addr" && is_on(last_value(keys, "unix"))) {
      return Meaning::path;
    }
    const bool is_path = std::any_of(path_ends.begin(), path_ends.end(),
                                     [&](Names end) { return name.ends_with(end); });
    const bool is_elsewhere = std::any_of(keys.begin(), keys.end(), [&](const auto& item) {
      const bool is_driver = item.first.empty() || item.first.ends_with(".driver");
      const bool is_remote = is_driver && contains(remote_drivers, item.second);
      return name == "path" && (is_remote || (item.first == "abstract" && is_on(item.second)));
    });
    return is_path && !is_elsewhere ? Meaning::path : Meaning::text;
  }

  std::string value_of(const QemuOptionWords& option) {
    const auto& [name, value, text, words] = option;
    if (contains(plain_text, name)) return value;
    if (!is_known_option(name)) ++unread_;
    // What is in it, only QEMU reads.
    if (name == "readconfig") ++unread_;
    const bool is_other = value == "-" || value == "help" || value == "?";
    // A keyboard's layout has the name of a language, of which a file may be anywhere.
    if (is_other || (name == "k" && value.find('/') == value.npos)) return value;
    if (contains(whole_paths, name)) return path(value);
    if (contains(whole_drives, name)) return drive(value);
    if (name == "bios") return installed(value);
    if (value.starts_with('{')) return json(name, value);
    if (name == "set") return set(value);
    if (contains(short_chardevs, name)) return short_chardev(name, value);
    return keyed(name, value);
  }

  std::string keyed(Names option, const std::string& value) {
    const auto keys = read_keys(value);
    std::string whole;
    Names rest = value;
    while (true) {
      const auto item = take_item(rest);
      whole += item_of(option, keys, item, whole.empty());
      if (rest.empty()) return whole;
      whole += ',';
      rest.remove_prefix(1);
    }
  }

  std::string item_of(Names option, const QemuKeys& keys, const Item& item, bool is_first) {
    const auto equals = item.meant.find('=');
    if (equals == item.meant.npos) {
      if (!is_first) return item.written;
      if (option == "option-rom") return doubled_commas(installed(item.meant));
      return option == "plugin" ? doubled_commas(path(item.meant)) : item.written;
    }
    const auto key = item.meant.substr(0, equals);
    const auto given = item.meant.substr(equals + 1);
    // The others are the plugin's own.
    if (option == "plugin" && key != "file") ++unread_;
    const auto now = rewritten(meaning_of(option, keys, key, given), given);
    return now == given ? item.written : doubled_commas(item.meant.substr(0, equals + 1) + now);
  }

  /// "drive.d0.file=x": one key of another option, with plain commas.
  std::string set(const std::string& value) {
    const auto equals = value.find('=');
    if (equals == value.npos) return value;
    const auto group = Names(value).substr(0, value.find('.'));
    const auto key = after_last_dot(Names(value).substr(0, equals));
    const auto given = value.substr(equals + 1);
    return value.substr(0, equals + 1) + rewritten(meaning_of(group, {}, key, given), given);
  }

  std::string short_chardev(Names option, const std::string& value) {
    std::size_t start = value.starts_with("mon:") ? 4 : 0;
    const auto rest = Names(value).substr(start);
    if (rest.starts_with("exec:")) ++unread_;
    for (const Names kind : {"file:", "pipe:", "unix:"}) {
      if (!rest.starts_with(kind)) continue;
      start += kind.size();
      const auto whole = path(value.substr(start));
      const bool is_new = whole.size() != value.size() - start;
      const auto before = is_new ? start_ : std::string();
      // Of a socket the commas separate, of the others they are part of the name.
      const bool has_keys = kind == "unix:" && option != "incoming";
      return value.substr(0, start) + (has_keys ? doubled_commas(before) : before) +
             value.substr(start);
    }
    return keyed("chardev", value);
  }

  /// Changes the strings of an object in JSON where they stand. QEMU takes both kinds of quotes.
  std::string json(Names option, const std::string& text) {
    auto keys = read_keys(text);
    // The driver may be one of an object within.
    for (const Names driver : remote_drivers) {
      const bool is_named = text.find('"' + std::string(driver) + '"') != text.npos;
      if (is_named) keys.emplace(".driver", driver);
    }
    std::string whole;
    std::string key;
    std::string last;  // the last string, which a colon makes a key
    for (std::size_t i = 0; i < text.size();) {
      const char c = text[i];
      if (c != '"' && c != '\'') {
        if (c == ':') key = last;
        if (c == ',' || c == '{') key.clear();
        whole += c;
        ++i;
        continue;
      }
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != c) end += text[end] == '\\' ? 2 : 1;
      end = std::min(end, text.size());
      last = text.substr(i + 1, end - i - 1);
      whole += c;
      whole += key.empty() ? last : json_value(option, keys, key, last, c);
      if (end < text.size()) whole += c;
      i = end + 1;
    }
    return whole;
  }

  /// `given` is as it was written, and stays so as far as possible.
  std::string json_value(Names option, const QemuKeys& keys, const std::string& key,
                         const std::string& given, char quote) {
    const auto meant = without_json_escapes(given, quote);
    const auto now = rewritten(meaning_of(option, keys, key, meant), meant);
    if (now == meant) return given;
    if (!now.ends_with(meant)) return quoted_for_json(now, quote);
    return quoted_for_json(now.substr(0, now.size() - meant.size()), quote) + given;
  }

  std::string start_;
  const std::function<bool(const std::string&)>& is_there_;
  AbsoluteArguments result_;
  int unread_ = 0;
};

}  // namespace

AbsoluteArguments make_absolute(const std::vector<std::string>& words,
                                const std::string& working_folder,
                                const std::function<bool(const std::string&)>& is_there) {
  Rewriter rewriter(working_folder, is_there);
  for (const auto& option : split_options(words)) rewriter.read(option);
  return rewriter.take();
}

}  // namespace vmr
