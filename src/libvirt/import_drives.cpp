// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"
#include "libvirt/disk_order.hpp"
#include "libvirt/disk_source.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace vmr {
namespace {

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
  if (device == "floppy" && !import.is_i440fx && !import.drives.has_floppy_bus) {
    import.drives.has_floppy_bus = true;
    import.add_arguments({"-device", "isa-fdc,id=import-fdc"});
  }
  if (device.starts_with("scsi-") && !import.drives.has_scsi_bus) {
    import.drives.has_scsi_bus = true;
    import.add_arguments({"-device", "virtio-scsi-pci,id=import-scsi"});
  }
}

/// The place of the next IDE drive: QEMU finds one by itself on i440fx alone. None: all are taken.
std::optional<std::string> ide_place(const Import& import) {
  constexpr std::size_t most_on_i440fx = 4;
  constexpr std::size_t most_on_q35 = 6;
  const auto drives = import.drives.ide;
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
  if (is_local(disk) && path_of(disk).empty()) {
    return "there is nothing in the drive, and nothing can be put in while it runs";
  }
  if (const auto cover = hidden_by(disk); !cover.empty()) {
    return fmt::format(
        "what the guest sees of it is not its source as it is ({}), which is therefore "
        "not opened; give the drive in EXTRA_ARGS",
        cover);
  }
  if (set_source(disk, drive)) return {};
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

}  // namespace

bool import_drive(DomainElement& disk, const std::string& id, Import& import) {
  QemuOption drive("if=none");
  drive.set("id", id);
  if (const auto objection = objection_to(disk, drive, import); !objection.empty()) {
    import.lose(disk, objection);
    take_all(disk);
    return false;
  }
  take_disk(disk);
  drive.set("format", format_of(disk));
  set_driver_options(disk, drive);
  const bool readonly = take_child(disk, "readonly") != nullptr || kind_of(disk) == "cdrom";
  if (readonly) drive.set("readonly", "on");
  if (take_child(disk, "transient") != nullptr) drive.set("snapshot", "on");
  const auto device = device_of(disk, import.is_arm);
  add_bus(device, import);
  import.add_arguments({"-drive", drive.text(), "-device", device_option(disk, id, import)});
  if (device.starts_with("ide-")) ++import.drives.ide;
  return true;
}

}  // namespace vmr
