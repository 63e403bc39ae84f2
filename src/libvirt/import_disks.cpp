// SPDX-License-Identifier: MIT
#include "config/config.hpp"
#include "libvirt/disk_order.hpp"
#include "libvirt/disk_source.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmr {
namespace {

constexpr std::string_view seed_advice =
    "if it is a cloud-init seed, take it out of EXTRA_ARGS: vm-runner makes one itself, and two "
    "contradict each other";

/// Names of virtio disks in the guest, which come from their order alone.
struct VirtioNames {
  std::size_t before = 0;  ///< how many libvirt's guest has so far
  std::size_t now = 0;     ///< how many this one has

  static std::string name(std::size_t place) {
    std::string letters;
    for (auto rest = place + 1; rest > 0; rest = (rest - 1) / 26) {
      letters.insert(letters.begin(), static_cast<char>('a' + (rest - 1) % 26));
    }
    return "/dev/vd" + letters;
  }
};

bool can_be_base(const DomainElement& disk) {
  const auto format = format_of(disk);
  return kind_of(disk) == "disk" && path_of(disk).starts_with('/') && hidden_by(disk).empty() &&
         (format == "raw" || format == "qcow2");
}

void import_base(DomainElement& disk, Import& import) {
  import.base_image = path_of(disk);
  import.set("BASE_IMAGE", import.base_image);
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
  auto* target = find_child(disk, "target");
  import.change(target == nullptr ? disk : *target,
                "the disk is on virtio: it is /dev/vda in the guest, which needs a driver for it",
                NoteWeight::stops);
}

/// Leaves the seed out: what is in the disk has a login, a host name and its mounts, as libvirt's
/// guest has them, and to cloud-init a seed would be a new instance, to set all of that up anew.
void leave_login(Import& import) {
  import.set("CLOUD_INIT", "false");
  import.has_seed = false;
}

bool is_kept(const DomainElement& disk) {
  return find_child(disk, "readonly") == nullptr && find_child(disk, "transient") == nullptr;
}

/// Imports the disk that is not the base, and tells what its guest has to know. Whether it is
/// there.
bool import_further(DomainElement& disk, int number, VirtioNames& names, Import& import) {
  const bool is_virtio = bus_of(disk) == "virtio";
  const auto before = VirtioNames::name(names.before);
  const auto now = VirtioNames::name(names.now);
  if (is_virtio) ++names.before;
  if (!import_drive(disk, fmt::format("import-disk{}", number), import)) return false;
  if (kind_of(disk) == "cdrom" && import.has_seed) import.change(disk, seed_advice);
  if (!is_virtio) return true;
  ++names.now;
  if (before == now) return true;
  import.change(
      disk, fmt::format("it is {} in the guest, where libvirt has it as {}: mount it by "
                        "label or UUID{}",
                        now, before, import.has_seed ? " (CLOUD_INIT=0: no seed before it)" : ""));
  return true;
}

/// Tells the name that the base has in the guest where libvirt's had another.
void tell_base_name(DomainElement& disk, VirtioNames& names, Import& import) {
  if (bus_of(disk) != "virtio") return;
  if (names.before != 0) {
    import.change(disk,
                  fmt::format("it is {} in the guest, where libvirt has it as {}: mount it by "
                              "label or UUID",
                              VirtioNames::name(0), VirtioNames::name(names.before)));
  }
  ++names.before;
}

/// The order in which `disks` start the machine, as letters of QEMU's `-boot order=`.
void import_boot_places(const std::vector<DomainElement*>& disks, const DomainElement* base,
                        Import& import) {
  std::vector<std::pair<std::uint64_t, char>> places;
  for (auto* disk : disks) {
    auto* boot = find_child(*disk, "boot");
    const bool is_disc = kind_of(*disk) == "cdrom";
    if (boot == nullptr || boot->taken || (disk != base && !is_disc)) continue;
    take_all(*boot);
    places.emplace_back(boot_place(*disk), is_disc ? 'd' : 'c');
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

void import_disks(DomainElement& devices, Import& import) {
  const auto disks = disks_in_order(devices);
  auto* const first = boot_disk_of(disks);
  auto* const base = first != nullptr && can_be_base(*first) ? first : nullptr;
  const bool has_none = base == nullptr && !import.has("KERNEL");
  if (base != nullptr) import_base(*base, import);
  // Without a word for it the guest of ours would start, which nobody asked for.
  if (has_none) import.set("BASE_IMAGE", std::string(no_base_image));
  if (has_none || (first != nullptr && is_kept(*first))) leave_login(import);
  VirtioNames names;
  names.now = (base == nullptr ? 0 : 1) + (import.has_seed ? 1 : 0);
  bool has_first = base != nullptr;
  int number = 0;
  for (auto* disk : disks) {
    if (disk == base) {
      tell_base_name(*disk, names, import);
    } else if (import_further(*disk, ++number, names, import)) {
      has_first = has_first || disk == first || (first == nullptr && kind_of(*disk) == "cdrom");
    }
  }
  import_boot_places(disks, base, import);
  if (has_first || !has_none) return;
  import.change(first == nullptr ? devices : *first,
                "the machine has no disk to start from (BASE_IMAGE=none): make an image (qemu-img "
                "convert -O qcow2 SOURCE IMAGE) and set BASE_IMAGE",
                NoteWeight::stops);
}

}  // namespace vmr
