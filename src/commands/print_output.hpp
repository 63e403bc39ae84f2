// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace vmr {

/// Writes `text` to standard output; throws Error where that cannot take all of it.
void print_output(const std::string& text);

}  // namespace vmr
