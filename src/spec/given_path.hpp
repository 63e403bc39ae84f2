// SPDX-License-Identifier: MIT
// Paths of the host that were given, and are not there: whether they were meant so.
#pragma once

#include "spec/problems.hpp"

#include <string>

namespace vmr {

/// Whether something of a path is only there by the way it was given, so that the path without it
/// was meant; then it is refused. For paths at which nothing is.
bool refuse_wrapped(const Given<std::string>& given, Findings& findings);

/// Whether a path at which nothing is hardly names a folder that somebody wants to be made: '$' in
/// it is a variable that nobody has filled in; then it is refused.
bool refuse_oddity(const Given<std::string>& given, Findings& findings);

}  // namespace vmr
