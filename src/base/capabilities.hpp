// SPDX-License-Identifier: MIT
// Linux capabilities by their names.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace vmr {

/// Bit N stands for capability N of capabilities(7), as in /proc/PID/status.
using CapabilitySet = std::uint64_t;

/// How many capabilities have a name.
inline constexpr int capability_count = 41;

/// The set of these CAP_ numbers.
constexpr CapabilitySet capability_set(std::initializer_list<int> numbers) {
  CapabilitySet set = 0;
  for (const int number : numbers) set |= CapabilitySet{1} << number;
  return set;
}

/// What virtiofsd keeps of root's capabilities; it does not start without one of them.
CapabilitySet capabilities_of_virtiofsd();

/// "CHOWN", … in the order of their numbers.
std::vector<std::string> names_of(CapabilitySet set);

}  // namespace vmr
