// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace vmr {

/// `text` with U+FFFD for what is not UTF-8.
std::string to_utf8(const std::string& text);

/// Whether all of `text` is UTF-8.
bool is_utf8(const std::string& text);

}  // namespace vmr
