// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>

namespace vmr {

/// The value of an environment variable; empty when unset.
inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace vmr
