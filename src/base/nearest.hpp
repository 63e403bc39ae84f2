// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The fewest edits (insert, delete, replace, swap neighbours; case ignored) from `a` to `b`, or
/// `limit + 1` when it takes more than `limit`.
std::size_t count_edits(std::string_view a, std::string_view b, std::size_t limit);

/// The candidate with the fewest edits from `word`, if that is at most a third of its length and
/// at most `limit`; the first of equals.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string_view>& candidates,
                                   std::size_t limit = 3);

}  // namespace vmr
