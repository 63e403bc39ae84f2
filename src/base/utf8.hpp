// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vmr {

/// `text` with U+FFFD for what is not UTF-8.
std::string to_utf8(const std::string& text);

/// Whether all of `text` is UTF-8.
bool is_utf8(const std::string& text);

/// Where to cut `text`, so that at most `size` bytes are left and no character is cut in two.
std::size_t cut_for(std::string_view text, std::size_t size);

}  // namespace vmr
