// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace vmr {

/// Fills `text` with the file `path`. Why it cannot, if so, and then `text` is empty: only regular
/// files of at most largest_user_data bytes are read, and nothing is waited for.
std::string read_user_data_file(const std::string& path, std::string& text);

/// The same with any regular file of at most `largest` bytes.
std::string read_regular_file(const std::string& path, std::size_t largest, std::string& text);

}  // namespace vmr
