// SPDX-License-Identifier: MIT
// Where libvirt puts a domain's disks: on which bus, in which order, and which one it starts.
#pragma once

#include "libvirt/domain_tree.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vmr {

/// "disk", "cdrom", "floppy" or "lun".
std::string_view kind_of(const DomainElement& disk);

/// The disk's bus: the one that is given, else the one that libvirt takes from the name of its
/// target (vda: virtio, sda: scsi, hda: ide, fda: fdc).
std::string_view bus_of(const DomainElement& disk);

/// The place of its <boot order=…>; the highest number when it has none.
std::uint64_t boot_place(const DomainElement& disk);

/// The disks among `devices` in libvirt's order: those of one bus together, by their targets'
/// names.
std::vector<DomainElement*> disks_in_order(DomainElement& devices);

/// The hard disk of `disks` that libvirt starts the machine from; nullptr when there is none.
DomainElement* boot_disk_of(const std::vector<DomainElement*>& disks);

}  // namespace vmr
