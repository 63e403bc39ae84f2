// SPDX-License-Identifier: MIT
#include "libvirt/disk_order.hpp"

#include "libvirt/import_parts.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace vmr {
namespace {

/// What a target's name begins with, and the bus that libvirt takes it for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> prefixes = {
    {{"xvd", "xen"},
     {"ubd", "uml"},
     {"vd", "virtio"},
     {"sd", "scsi"},
     {"hd", "ide"},
     {"fd", "fdc"}}};

/// The target's name without what it begins with: "b1" of "vdb1".
std::string_view letters_of(std::string_view name) {
  for (const auto& [prefix, bus] : prefixes) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return {};
}

std::string_view target_of(const DomainElement& disk, std::string_view attribute) {
  const auto* target = find_child(disk, "target");
  return target == nullptr ? std::string_view{} : peek(*target, attribute);
}

/// The number of the disk on its bus by its name: 0 for vda, 26 for vdaa, -1 for any other name. A
/// number of a partition behind it means nothing, as to libvirt.
int index_of(const DomainElement& disk) {
  constexpr int highest = 1'000'000;
  auto letters = letters_of(target_of(disk, "dev"));
  const auto end = letters.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
  if (end != letters.npos && letters.find_first_not_of("0123456789", end) != letters.npos)
    return -1;
  letters = letters.substr(0, end);
  int index = 0;
  for (const char letter : letters) {
    if (index > highest) return -1;
    index = index * 26 + (letter - 'a' + 1);
  }
  return index - 1;
}

}  // namespace

std::string_view kind_of(const DomainElement& disk) {
  const auto device = peek(disk, "device");
  return device.empty() ? "disk" : device;
}

std::string_view bus_of(const DomainElement& disk) {
  if (const auto bus = target_of(disk, "bus"); !bus.empty()) return bus;
  if (kind_of(disk) == "floppy") return "fdc";
  const auto name = target_of(disk, "dev");
  // libvirt refuses a disk without a target.
  if (name.empty()) return kind_of(disk) == "cdrom" ? "sata" : "virtio";
  for (const auto& [prefix, bus] : prefixes) {
    if (name.starts_with(prefix)) return bus;
  }
  return "ide";
}

std::uint64_t boot_place(const DomainElement& disk) {
  const auto* boot = find_child(disk, "boot");
  const auto place = boot == nullptr ? std::nullopt : number_in(peek(*boot, "order"));
  return place.value_or(std::numeric_limits<std::uint64_t>::max());
}

std::vector<DomainElement*> disks_in_order(DomainElement& devices) {
  struct Placed {
    std::size_t bus = 0;  ///< the place of its bus among those in the XML
    int index = 0;
    DomainElement* disk = nullptr;
  };
  // Any other bus is none of QEMU's.
  std::vector<std::string_view> buses;
  constexpr std::array<std::string_view, 7> known = {"virtio", "scsi", "sata", "ide",
                                                     "usb",    "fdc",  "sd"};
  const auto group_of = [&](const DomainElement& disk) {
    const auto bus = bus_of(disk);
    return std::find(known.begin(), known.end(), bus) == known.end() ? std::string_view{} : bus;
  };
  std::vector<Placed> placed;
  for (auto& disk : devices.children) {
    if (disk.name != "disk") continue;
    const auto bus = std::find(buses.begin(), buses.end(), group_of(disk)) - buses.begin();
    if (bus == std::ssize(buses)) buses.push_back(group_of(disk));
    placed.push_back({static_cast<std::size_t>(bus), index_of(disk), &disk});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::pair(a.bus, a.index) < std::pair(b.bus, b.index);
  });
  std::vector<DomainElement*> disks;
  disks.reserve(placed.size());
  for (const auto& one : placed) disks.push_back(one.disk);
  return disks;
}

DomainElement* boot_disk_of(const std::vector<DomainElement*>& disks) {
  DomainElement* first = nullptr;
  for (auto* disk : disks) {
    if (kind_of(*disk) != "disk" && kind_of(*disk) != "lun") continue;
    if (first == nullptr || boot_place(*disk) < boot_place(*first)) first = disk;
  }
  return first;
}

}  // namespace vmr
