// SPDX-License-Identifier: MIT
#include "config/raw_settings.hpp"

#include <iterator>

namespace vmr {

RawSettings merge(RawSettings under, RawSettings over) {
  for (auto& [key, text] : over.values) {
    if (text.value.empty()) {
      under.values.erase(key);
    } else {
      under.values.insert_or_assign(key, std::move(text));
    }
  }
  std::move(over.problems.begin(), over.problems.end(), std::back_inserter(under.problems));
  std::move(over.warnings.begin(), over.warnings.end(), std::back_inserter(under.warnings));
  return under;
}

}  // namespace vmr
