// SPDX-License-Identifier: MIT
// How rules speak: problems about a given value, and whether a value was given at all.
#pragma once

#include "base/error.hpp"
#include "config/given.hpp"
#include "config/words.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

inline std::string value_text(const std::string& value) {
  return value;
}
inline std::string value_text(bool value) {
  return value ? "1" : "0";
}
template <typename E>
requires std::is_enum_v<E> std::string value_text(E value) {
  return std::string(word_for(value));
}

/// Collects what the rules find; one for a whole resolve().
struct Findings {
  std::vector<Problem> problems;
  std::vector<std::string> warnings;

  /// Adds "VARIABLE='value': <reason>" with the value's origin.
  template <typename T>
  void refuse(const Given<T>& given, std::string_view reason, std::string hint,
              ExitStatus status = ExitStatus::usage) {
    problems.push_back(
        {fmt::format("{}='{}': {}", given.origin.variable, value_text(given.value), reason),
         describe(given.origin), std::move(hint), status});
  }
};

}  // namespace vmr
