// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vmr {

/// `text` without the control sequences that a terminal answers, such as the one that asks where
/// its cursor is: who shows what was said long ago would type answers that nobody waits for. One
/// that is not complete at the end of `text` stays; what is left has none.
std::string without_queries(std::string_view text);

}  // namespace vmr
