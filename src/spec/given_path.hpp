// SPDX-License-Identifier: MIT
// Paths of the host that were given, and are not there: whether they were meant so.
#pragma once

#include "spec/problems.hpp"

#include <optional>
#include <string>

namespace vmr {

/// Whether something of a path is only there by the way it was given, so that the path without it
/// was meant; then it is refused. For paths at which nothing is.
bool refuse_wrapped(const Given<std::string>& given, Findings& findings);

/// Why a path at which nothing is hardly names a folder that somebody wants to have: "'$' is a
/// variable that nobody has filled in"; none: it may.
std::optional<Invalid> find_oddity(const std::string& path);

}  // namespace vmr
