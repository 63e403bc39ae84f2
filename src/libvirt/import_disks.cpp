// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace vmr {
namespace {

constexpr std::string_view seed_advice =
    "if it is a cloud-init seed, take it out of EXTRA_ARGS: vm-runner makes one itself, and two "
    "contradict each other";

constexpr std::string_view place_advice =
    "it comes after the seed and so has another name in the guest, as /dev/vdc for /dev/vdb: mount "
    "it by label or UUID (CLOUD_INIT=0: no seed)";

std::string_view kind_of(const DomainElement& disk) {
  const auto device = peek(disk, "device");
  return device.empty() ? "disk" : device;
}

std::string_view bus_of(DomainElement& disk) {
  const auto* target = find_child(disk, "target");
  const auto bus = target == nullptr ? std::string_view{} : peek(*target, "bus");
  if (!bus.empty()) return bus;
  return kind_of(disk) == "cdrom" ? "sata" : kind_of(disk) == "floppy" ? "fdc" : "virtio";
}

/// The file or device of the host that the disk is; empty when it is something else.
std::string path_of(DomainElement& disk) {
  auto* source = find_child(disk, "source");
  if (source == nullptr) return {};
  const auto type = peek(disk, "type");
  if (type == "file" || type.empty()) return std::string(peek(*source, "file"));
  return type == "block" ? std::string(peek(*source, "dev")) : std::string();
}

std::string_view format_of(DomainElement& disk) {
  const auto* driver = find_child(disk, "driver");
  const auto format = driver == nullptr ? std::string_view{} : peek(*driver, "type");
  return format.empty() ? "raw" : format;
}

std::uint64_t boot_place(DomainElement& disk) {
  const auto* boot = find_child(disk, "boot");
  const auto place = boot == nullptr ? std::nullopt : number_in(peek(*boot, "order"));
  return place.value_or(std::numeric_limits<std::uint64_t>::max());
}

bool can_be_base(DomainElement& disk) {
  const auto format = format_of(disk);
  return disk.name == "disk" && kind_of(disk) == "disk" && path_of(disk).starts_with('/') &&
         (format == "raw" || format == "qcow2");
}

/// The disk that the machine starts from; nullptr when there is none.
DomainElement* base_of(DomainElement& devices) {
  DomainElement* base = nullptr;
  for (auto& disk : devices.children) {
    if (!can_be_base(disk)) continue;
    if (base == nullptr || boot_place(disk) < boot_place(*base)) base = &disk;
  }
  return base;
}

/// Marks what every disk has and what decides nothing more.
void take_disk(DomainElement& disk) {
  disk.taken = true;
  take(disk, "type");
  take(disk, "device");
  if (auto* source = take_child(disk, "source")) {
    take(*source, "file");
    take(*source, "dev");
  }
  if (auto* target = take_child(disk, "target")) {
    take(*target, "dev");
    take(*target, "bus");
  }
  if (auto* driver = take_child(disk, "driver")) {
    take(*driver, "type");
    take_word(*driver, "name", {"qemu"});
  }
}

void import_base(DomainElement& disk, Import& import) {
  import.set("BASE_IMAGE", path_of(disk));
  take_disk(disk);
  const bool readonly = take_child(disk, "readonly") != nullptr;
  const bool transient = take_child(disk, "transient") != nullptr;
  if (!readonly && !transient) {
    import.set("PERSIST", "true");
    import.change(disk,
                  "the image itself is never written: what the guest changes is kept in DATA_DIR, "
                  "in a file on top of it (PERSIST), where libvirt writes into the image");
  } else if (readonly) {
    import.change(disk, "the guest can write to it; what it changes is dropped at its end");
  }
  if (bus_of(disk) == "virtio") return;
  import.change(*find_child(disk, "target"),
                "the disk is on virtio: it is /dev/vda in the guest, which needs a driver for it");
}

/// Sets the source of a network disk; false when QEMU has no simple name for it.
bool set_network_source(DomainElement& disk, QemuOption& drive) {
  auto* source = find_child(disk, "source");
  auto* host = source == nullptr ? nullptr : find_child(*source, "host");
  if (host == nullptr || source->children.size() != 1) return false;
  const auto protocol = std::string(peek(*source, "protocol"));
  const auto transport = peek(*host, "transport");
  const std::string server(peek(*host, "name"));
  const std::string port(peek(*host, "port"));
  const std::string name(peek(*source, "name"));
  const bool plain = transport.empty() || transport == "tcp";
  if (!plain || server.empty() || peek(*source, "tls") == "yes") return false;
  if (protocol == "nbd") {
    drive.set("file.driver", "nbd").set("file.server.type", "inet");
    drive.set("file.server.host", server).set("file.server.port", port.empty() ? "10809" : port);
    if (!name.empty()) drive.set("file.export", name);
  } else if (protocol == "http" || protocol == "https") {
    const std::string query(peek(*source, "query"));
    drive.set("file.driver", protocol);
    drive.set("file.url",
              fmt::format("{}://{}{}/{}{}", protocol, server, port.empty() ? "" : ":" + port, name,
                          query.empty() ? "" : "?" + query));
  } else {
    return false;
  }
  take_all(*host);
  for (const auto* attribute : {"protocol", "name", "query"}) take(*source, attribute);
  return true;
}

bool set_source(DomainElement& disk, QemuOption& drive) {
  if (peek(disk, "type") == "network") return set_network_source(disk, drive);
  const auto path = path_of(disk);
  if (!path.starts_with('/')) return false;
  const bool block = peek(disk, "type") == "block";
  // A drive of discs would be opened as a hard disk; as a file it is only read.
  drive.set("file.driver", block && kind_of(disk) != "cdrom" ? "host_device" : "file");
  drive.set("file.filename", path);
  return true;
}

void set_driver_options(DomainElement& disk, QemuOption& drive) {
  auto* driver = find_child(disk, "driver");
  if (driver == nullptr) return;
  struct Row {
    std::string_view attribute;
    std::string_view key;
    std::vector<std::string_view> words;
  };
  const std::array<Row, 4> rows = {
      {{"cache", "cache", {"none", "writethrough", "writeback", "directsync", "unsafe"}},
       {"io", "aio", {"threads", "native", "io_uring"}},
       {"discard", "discard", {"ignore", "unmap"}},
       {"detect_zeroes", "detect-zeroes", {"off", "on", "unmap"}}}};
  for (const auto& row : rows) {
    if (const auto value = take_word(*driver, row.attribute, row.words)) drive.set(row.key, *value);
  }
}

/// QEMU's device for the disk; empty when the machine has no such bus.
std::string_view device_of(DomainElement& disk, bool is_arm) {
  const auto bus = bus_of(disk);
  const auto kind = kind_of(disk);
  const bool disc = kind == "cdrom";
  if (kind == "floppy") return is_arm || bus != "fdc" ? "" : "floppy";
  if (kind != "disk" && !disc) return {};
  if (bus == "virtio") return "virtio-blk-pci";
  if (bus == "scsi") return disc ? "scsi-cd" : "scsi-hd";
  if ((bus == "sata" || bus == "ide") && !is_arm) return disc ? "ide-cd" : "ide-hd";
  return {};
}

/// Adds the bus of `device` unless the machine has it or got it for an earlier disk.
void add_bus(std::string_view device, Import& import) {
  std::string bus;
  if (device == "floppy" && !import.is_i440fx) bus = "isa-fdc,id=import-fdc";
  if (device.starts_with("scsi-")) bus = "virtio-scsi-pci,id=import-scsi";
  const auto& words = import.extra_args;
  if (bus.empty() || std::find(words.begin(), words.end(), bus) != words.end()) return;
  import.add_arguments({"-device", bus});
}

/// The place of the next IDE drive: QEMU finds one by itself on i440fx alone. None: all are taken.
std::optional<std::string> ide_place(const Import& import) {
  constexpr std::size_t most_on_i440fx = 4;
  constexpr std::size_t most_on_q35 = 6;
  const auto& words = import.extra_args;
  const auto drives = static_cast<std::size_t>(
      std::count_if(words.begin(), words.end(),
                    [](const std::string& word) { return word.starts_with("ide-"); }));
  if (drives >= (import.is_i440fx ? most_on_i440fx : most_on_q35)) return std::nullopt;
  return import.is_i440fx ? std::string() : fmt::format("ide.{}", drives);
}

/// Why the disk is not carried over; else empty, and its source is set.
std::string objection_to(DomainElement& disk, QemuOption& drive, const Import& import) {
  const auto device = device_of(disk, import.is_arm);
  if (device.empty()) {
    return "the machine has no such drive; give it with bus='virtio' or bus='scsi'";
  }
  if (device.starts_with("ide-") && !ide_place(import)) {
    return "the machine has no more such drives; give it with bus='virtio' or bus='scsi'";
  }
  const auto type = peek(disk, "type");
  if ((type.empty() || type == "file" || type == "block") && path_of(disk).empty()) {
    return "there is nothing in the drive, and nothing can be put in while it runs";
  }
  constexpr std::string_view of_formats = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  const bool known_format = format_of(disk).find_first_not_of(of_formats) == std::string::npos;
  if (known_format && set_source(disk, drive)) return {};
  return "QEMU has no simple name for its source; give it in EXTRA_ARGS";
}

/// The -device of the disk whose -drive is `id`.
std::string device_option(DomainElement& disk, const std::string& id, const Import& import) {
  const auto name = device_of(disk, import.is_arm);
  QemuOption device(name);
  device.set("drive", id);
  const auto place = name.starts_with("ide-") ? ide_place(import) : std::nullopt;
  if (place && !place->empty()) device.set("bus", *place);
  const auto* serial = name == "floppy" ? nullptr : take_child(disk, "serial");
  if (serial != nullptr) device.set("serial", serial->text);
  return device.text();
}

void import_further(DomainElement& disk, const std::string& id, Import& import) {
  QemuOption drive("if=none");
  drive.set("id", id);
  if (const auto objection = objection_to(disk, drive, import); !objection.empty()) {
    import.lose(disk, objection);
    take_all(disk);
    return;
  }
  take_disk(disk);
  drive.set("format", format_of(disk));
  set_driver_options(disk, drive);
  const bool readonly = take_child(disk, "readonly") != nullptr || kind_of(disk) == "cdrom";
  if (readonly) drive.set("readonly", "on");
  if (take_child(disk, "transient") != nullptr) drive.set("snapshot", "on");
  add_bus(device_of(disk, import.is_arm), import);
  import.add_arguments({"-drive", drive.text(), "-device", device_option(disk, id, import)});
  if (kind_of(disk) == "cdrom") import.change(disk, seed_advice);
  if (bus_of(disk) == "virtio") import.change(disk, place_advice);
}

/// The order in which `disks` start the machine, as letters of QEMU's `-boot order=`.
void import_boot_places(DomainElement& devices, const DomainElement* base, Import& import) {
  std::vector<std::pair<std::uint64_t, char>> places;
  for (auto& disk : devices.children) {
    auto* boot = disk.name == "disk" ? find_child(disk, "boot") : nullptr;
    const bool is_disc = kind_of(disk) == "cdrom";
    if (boot == nullptr || boot->taken || (&disk != base && !is_disc)) continue;
    take_all(*boot);
    places.emplace_back(boot_place(disk), is_disc ? 'd' : 'c');
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string order;
  for (const auto& [place, letter] : places) {
    if (order.find(letter) == order.npos) order += letter;
  }
  if (order.empty() || order == "c" || import.has("KERNEL") || import.is_arm) return;
  import.add_arguments({"-boot", "order=" + order});
}

}  // namespace

void import_disks(DomainElement& devices, Import& import) {
  auto* const base = base_of(devices);
  if (base != nullptr) import_base(*base, import);
  int number = 0;
  for (auto& disk : devices.children) {
    if (disk.name != "disk" || &disk == base) continue;
    import_further(disk, fmt::format("import-disk{}", ++number), import);
  }
  import_boot_places(devices, base, import);
  if (base != nullptr || import.has("KERNEL")) return;
  import.change(devices,
                "no disk of it can be BASE_IMAGE, and without one vm-runner starts its own guest; "
                "make an image (qemu-img convert -O qcow2 SOURCE IMAGE) and set BASE_IMAGE");
}

}  // namespace vmr
