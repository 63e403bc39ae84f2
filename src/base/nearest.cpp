// SPDX-License-Identifier: MIT
#include "base/nearest.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <numeric>

namespace vmr {

std::size_t count_edits(std::string_view a, std::string_view b, std::size_t limit) {
  // A difference in length is a lower bound; without it a hostile word would cost its square.
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  const auto same = [](char x, char y) { return ascii_lower(x) == ascii_lower(y); };

  // The rows of the table "prefix of a → prefix of b"; a swap looks two rows back.
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    // No row below can come back under the least of this one.
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
    before_last.swap(last);
    last.swap(row);
  }
  return std::min(last.back(), limit + 1);
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string_view>& candidates,
                                   std::size_t limit) {
  std::size_t fewest = std::min(word.size() / 3, limit) + 1;
  std::optional<std::string> found;
  for (const auto candidate : candidates) {
    const std::size_t edits = count_edits(word, candidate, fewest - 1);
    if (edits >= fewest) continue;
    fewest = edits;
    found = candidate;
    if (fewest == 0) break;
  }
  return found;
}

}  // namespace vmr
