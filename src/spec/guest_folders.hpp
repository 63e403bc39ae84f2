// SPDX-License-Identifier: MIT
// Which folders of a guest it needs itself, so that no share is mounted over them.
#pragma once

#include <string_view>

namespace vmr {

/// Whether a share mounted at the absolute `folder` would hide what the guest itself has there, as
/// the Filesystem Hierarchy Standard and the common distributions lay it out.
bool hides_the_guest(std::string_view folder);

}  // namespace vmr
