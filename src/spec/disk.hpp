// SPDX-License-Identifier: MIT
// The rules about the guest's disk: which image, what may be behind it, and how changes are kept.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/boot_files.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vmr {

/// The disk of BASE_IMAGE or of the default guest; none for a bare KERNEL. A persistent copy may
/// bring a kernel of its own into `boot`, unless KERNEL says otherwise.
std::optional<Disk> resolve_disk(const Config& config, const Host& host, Boot& boot,
                                 Findings& findings);

/// The disk of which a copy would be made now; none when that breaks a rule.
std::optional<Disk> find_disk_to_copy(const Config& config, const Host& host);

/// The images behind one, and why that, or one of them, cannot be used.
struct ImageChain {
  std::vector<DiskImage> behind;  ///< from the nearest on, as far as they can be
  WrongFile wrong;                ///< empty: all can
};

/// Follows the headers from `image` on. What a header names is opened only where the user would
/// have it: in the folder of the image, or in BACKING_DIR, as a path, and readable to QEMU's own
/// user.
ImageChain follow_chain(const Config& config, const Host& host, const std::string& image);

/// The images behind the disk of `guest`, from the nearest on. One that is not in its folder or in
/// BACKING_DIR is a problem: whoever wrote the image would choose what QEMU opens.
std::vector<DiskImage> resolve_chain(const Config& config, const Host& host,
                                     const GuestImage& guest, Findings& findings);

/// Decides how `disk` is kept, whose place and images are known: made anew, or compared with what
/// was recorded of it.
void resolve_persistent(const Config& config, const Host& host, const GuestImage& guest, Boot& boot,
                        Disk& disk, Findings& findings);

}  // namespace vmr
