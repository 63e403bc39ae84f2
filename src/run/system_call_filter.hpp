// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <string>

namespace vmr {

/// Whether this build has a filter; the own calls of a sanitizer nobody lists.
bool has_system_call_filter();

/// Leaves this process, and what it starts, only the system calls that a running launcher makes;
/// with `starts_helpers` also those of virtiofsd. Any other fails with ENOSYS, and its number, an
/// int, can be read from the descriptor that is returned; in another program it ends that with
/// SIGSYS. Needs no_new_privs. Throws Error.
UniqueFd filter_system_calls(bool starts_helpers);

/// "ptrace"; of an unknown one its number.
std::string system_call_name(int number);

}  // namespace vmr
