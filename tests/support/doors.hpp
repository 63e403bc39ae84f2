// SPDX-License-Identifier: MIT
// The doors that a QEMU or virtiofsd that was taken over tries, by the calls of
// fakes/hostile_calls.hpp.
#pragma once

#include "support/launcher.hpp"
#include "support/observed_table.hpp"

#include <string>

namespace vmr::test {

/// What the log of a launcher with LOG_VERBOSE=1 tells of the calls of `program` ("qemu",
/// "virtiofsd-1"): for each door "closed" or "open", as rows of `who`.
ObservedColumn doors_column(const std::string& who, const std::string& program,
                            const Finished& seen);

}  // namespace vmr::test
