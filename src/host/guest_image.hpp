// SPDX-License-Identifier: MIT
#pragma once

#include "host/host.hpp"

#include <optional>
#include <string>

namespace vmr {

/// The guest at `path`: a disk image, or a folder with a guest.toml. On failure `problem` says why.
std::optional<GuestImage> read_guest_image(const std::string& path, std::string& problem);

}  // namespace vmr
