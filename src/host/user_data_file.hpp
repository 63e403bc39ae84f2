// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace vmr {

/// Fills `text` with the file `path`. Why it cannot, if so, and then `text` is empty: only regular
/// files of at most largest_user_data bytes are read, and nothing is waited for.
std::string read_user_data_file(const std::string& path, std::string& text);

}  // namespace vmr
