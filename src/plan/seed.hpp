// SPDX-License-Identifier: MIT
// The texts of the NoCloud seed; the image itself is written by run/seed_image.
#pragma once

#include "plan/launch_plan.hpp"
#include "spec/vm_spec.hpp"

#include <string>
#include <vector>

namespace vmr {

/// The virtio-serial port on which the guest reports its mounts.
inline constexpr std::string_view report_port = "org.vm-runner.shares";

/// meta-data, user-data and vendor-data of a VM. The vendor-data is a MIME multipart of a
/// cloud-config (login) and, at every boot, a boothook that mounts the shares.
SeedContents make_seed(const VmSpec& spec);

/// What a person types in the guest to mount `share`.
std::string mount_command(const Share& share);

/// Tag and folder of `share` as one ASCII word without blanks, "share:/mnt/share": what the guest's
/// report is about. All but letters, digits and a few marks is "%" and two hexadecimal digits.
std::string place_word(const Share& share);

/// The POSIX shell script that mounts every share and reports each result as one line,
/// "<number> ok <place>" or "<number> error <place> <reason>", to the report port, and "done" at
/// the end; <place> is place_word(). Pure ASCII. Never fails.
std::string mount_script(const std::vector<Share>& shares);

/// The same without "done", for shares that are added to a guest that runs.
std::string mount_added_script(const std::vector<Share>& shares);

/// The script that unmounts one share and reports "<number> gone" or "<number> kept <reason>".
std::string unmount_script(const Share& share);

}  // namespace vmr
