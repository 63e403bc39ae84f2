// SPDX-License-Identifier: MIT
#pragma once

#include "support/observed_table.hpp"

#include <string>

namespace vmr::test {

/// What `status --security --format=json` printed, as a column of the table of processes in
/// docs/security.md: one row for each process and property.
ObservedColumn security_column(const std::string& json);

/// Compares it with the column `header` of that table, or writes it (UPDATE_OBSERVED).
void check_security(const std::string& json, const std::string& header);

}  // namespace vmr::test
