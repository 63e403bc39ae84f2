// SPDX-License-Identifier: MIT
#include "config/argument_files.hpp"

#include "base/qemu_words.hpp"
#include "config/own_drives.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace vmr {
namespace {

/// The key of an option that names a file.
struct FileKey {
  std::string_view option;
  std::string_view kind;  ///< the option's first word; empty: any
  std::string_view key;   ///< empty: the whole value
  FileNeed need;
};

constexpr auto file_keys = std::to_array<FileKey>({
    {"D", "", "", FileNeed::new_file},
    {"acpitable", "", "file", FileNeed::file},
    {"audiodev", "wav", "path", FileNeed::new_file},
    {"blockdev", "file", "filename", FileNeed::file},
    {"blockdev", "host_device", "filename", FileNeed::device},
    {"chardev", "file", "path", FileNeed::new_file},
    {"chardev", "parallel", "path", FileNeed::device},
    {"chardev", "serial", "path", FileNeed::device},
    {"dtb", "", "", FileNeed::file},
    {"fsdev", "local", "path", FileNeed::folder},
    {"fw_cfg", "", "file", FileNeed::file},
    {"initrd", "", "", FileNeed::file},
    {"kernel", "", "", FileNeed::file},
    {"mtdblock", "", "", FileNeed::file},
    {"object", "filter-dump", "file", FileNeed::new_file},
    {"object", "input-linux", "evdev", FileNeed::device},
    {"object", "memory-backend-file", "mem-path", FileNeed::new_file},
    {"object", "rng-random", "filename", FileNeed::device},
    {"object", "secret", "file", FileNeed::file},
    {"object", "tls-creds-psk", "dir", FileNeed::folder},
    {"object", "tls-creds-x509", "dir", FileNeed::folder},
    {"pflash", "", "", FileNeed::file},
    {"pidfile", "", "", FileNeed::new_file},
    {"plugin", "", "file", FileNeed::file},
    {"readconfig", "", "", FileNeed::file},
    {"sd", "", "", FileNeed::file},
    {"smbios", "", "file", FileNeed::file},
    {"tpmdev", "passthrough", "path", FileNeed::device},
    {"virtfs", "local", "path", FileNeed::folder},
});

/// What a device or a network needs of the host by its kind alone.
struct KindNeed {
  std::string_view option;
  std::string_view kind;
  std::string_view path;
};
constexpr auto kind_needs = std::to_array<KindNeed>({
    {"netdev", "tap", "/dev/net/tun"},
    {"nic", "tap", "/dev/net/tun"},
    {"device", "vhost-vsock-pci", "/dev/vhost-vsock"},
    {"device", "vhost-scsi-pci", "/dev/vhost-scsi"},
});

/// Options whose value is a chardev in its short form: "file:x", "unix:x,server=on".
constexpr auto short_chardevs = std::to_array<std::string_view>(
    {"serial", "parallel", "monitor", "qmp", "qmp-pretty", "debugcon"});

/// A name of the file system; an open descriptor is none.
bool is_plain(const std::string& path) {
  return is_plain_file(path) && !path.starts_with("/dev/fd");
}

FileNeed need_of_socket(const QemuKeys& keys) {
  return is_on(last_value(keys, "server")) ? FileNeed::new_file : FileNeed::socket;
}

class Finder {
 public:
  void read(const QemuOptionWords& option) {
    if (option.name.empty()) {
      const bool is_disk = is_plain(option.text) || option.text.empty();
      if (is_disk) files_.push_back({option.text, option.text, FileNeed::disk_word});
      return;
    }
    const auto keys = read_keys(option.value);
    const auto kind = last_value(keys, "");
    if (const auto drive = read_own_drive(option.name, option.value)) {
      const bool is_raw = last_value(keys, "format") == "raw";
      add(option, drive->path, is_raw || drive->is_read_only ? FileNeed::file : FileNeed::disk);
    }
    for (const auto& row : file_keys) {
      const bool is_it = row.option == option.name && (row.kind.empty() || row.kind == kind);
      if (!is_it) continue;
      add(option, row.key.empty() ? option.value : last_value(keys, std::string(row.key)),
          row.need);
    }
    for (const auto& row : kind_needs) {
      const bool is_open = keys.contains("fd") || keys.contains("fds");
      if (row.option == option.name && row.kind == kind && !is_open) {
        add(option, std::string(row.path), FileNeed::device);
      }
    }
    if (option.name == "device" && kind.starts_with("vfio-pci")) read_vfio(option, keys);
    if (option.name == "chardev" && kind == "socket" && !is_on(last_value(keys, "abstract"))) {
      add(option, last_value(keys, "path"), need_of_socket(keys));
    }
    const bool is_short = std::find(short_chardevs.begin(), short_chardevs.end(), option.name) !=
                          short_chardevs.end();
    if (is_short) read_short_chardev(option);
  }

  [[nodiscard]] std::vector<ArgumentFile> take() { return std::move(files_); }

 private:
  void add(const QemuOptionWords& option, const std::string& path, FileNeed need) {
    if (is_plain(path)) files_.push_back({option.text, path, need});
  }

  /// A device that has no group is not there, or cannot be given away.
  void read_vfio(const QemuOptionWords& option, const QemuKeys& keys) {
    const auto host = last_value(keys, "host");
    if (host.empty()) return;
    const bool has_domain = std::count(host.begin(), host.end(), ':') == 2;
    // Not by add(): the address has colons.
    files_.push_back(
        {option.text,
         "/sys/bus/pci/devices/" + std::string(has_domain ? "" : "0000:") + host + "/iommu_group",
         FileNeed::device});
  }

  void read_short_chardev(const QemuOptionWords& option) {
    const auto first = option.value.substr(0, option.value.find(','));
    const auto colon = first.find(':');
    if (first.starts_with("/dev/")) return add(option, first, FileNeed::device);
    if (colon == first.npos) return;
    const auto kind = first.substr(0, colon);
    if (kind == "file") add(option, first.substr(colon + 1), FileNeed::new_file);
    if (kind == "unix") {
      add(option, first.substr(colon + 1), need_of_socket(read_keys(option.value)));
    }
  }

  std::vector<ArgumentFile> files_;
};

}  // namespace

std::vector<ArgumentFile> find_argument_files(const std::vector<std::string>& words) {
  Finder finder;
  for (const auto& option : split_options(words)) finder.read(option);
  return finder.take();
}

}  // namespace vmr
