// SPDX-License-Identifier: MIT
// The filter of system calls that a child has from before its program starts.
#pragma once

#include "base/confinement.hpp"

#include <linux/filter.h>
#include <vector>

namespace vmr {

/// The program for the kernel; empty when nothing is refused. Throws Error.
std::vector<sock_filter> make_call_filter(const std::vector<Refused>& refused);

/// Puts `filter` on the calling process, for ever, beside those that it has; no_new_privs must be
/// set. Allocates nothing: for between fork and exec. 0 or the errno.
int put_on_call_filter(const std::vector<sock_filter>& filter);

}  // namespace vmr
