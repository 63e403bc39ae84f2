// SPDX-License-Identifier: MIT
// What a share's tag can be, and how many shares there can be.
#pragma once

#include "config/words.hpp"

#include <cstddef>
#include <string_view>

namespace vmr {

/// How many shares a machine has PCI addresses for: slots 0x10 to 0x1e, eight functions each.
inline constexpr std::size_t most_shares = 120;

/// The bytes that QEMU takes in the tag of a share with this driver.
std::size_t longest_tag(Driver driver);

/// Whether there is a control character in `text`.
bool has_control_character(std::string_view text);

/// Whether mount(8) reads `tag` as "the file system with this label".
bool names_a_disk(std::string_view tag);

/// Whether /mnt can have a folder of this name, which is where the share is mounted by default.
bool is_folder_name(std::string_view tag);

}  // namespace vmr
