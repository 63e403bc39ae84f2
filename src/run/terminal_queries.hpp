// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vmr {

/// `text` without the control sequences that a terminal answers, such as the one that asks where
/// its cursor is: who shows what was said long ago would type answers that nobody waits for. One
/// that is not complete at the end of `text` stays; what is left has none.
std::string without_queries(std::string_view text);

/// The same for output that comes piece by piece. What may be the beginning of a query is held back
/// until it is told, at most as long as a line, or 1 KiB.
class QueryFilter {
 public:
  /// What can be shown now that `text` has come.
  std::string take(std::string_view text);

 private:
  std::string held_;
};

}  // namespace vmr
