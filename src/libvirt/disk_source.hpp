// SPDX-License-Identifier: MIT
// Where what is in a domain's disk comes from.
#pragma once

#include "base/qemu_option.hpp"
#include "libvirt/domain_tree.hpp"

#include <string>
#include <string_view>

namespace vmr {

/// The file or device of the host that the disk is; empty when it is something else.
std::string path_of(const DomainElement& disk);

/// The disk's format as libvirt has it; "raw" where none is given, since it never looks.
std::string_view format_of(const DomainElement& disk);

/// Whether the disk is a file or a device of the host, or should be one and names none.
bool is_local(const DomainElement& disk);

/// What makes the disk something else than its source as it is, such as "<slices>" or
/// "<encryption>"; empty: nothing does. Such a disk is never opened plainly: the guest would see
/// other contents, and could destroy them.
std::string hidden_by(const DomainElement& disk);

/// Sets the source of the disk's -drive and marks it as read; false when QEMU has no simple name
/// for it.
bool set_source(DomainElement& disk, QemuOption& drive);

}  // namespace vmr
