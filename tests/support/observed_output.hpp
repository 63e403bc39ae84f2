// SPDX-License-Identifier: MIT
// Outputs in the documentation that a test compares with the program.
#pragma once

#include <string>

namespace vmr::test {

/// Compares `output`, fenced as Markdown's `language`, with what stands between
/// "<!-- output: NAME -->" and "<!-- output: end -->" in docs/DOCUMENT. With UPDATE_OBSERVED in the
/// environment it is written there first; look at the difference before you commit it.
void check_output(const std::string& document, const std::string& name, const std::string& output,
                  const std::string& language = "console");

}  // namespace vmr::test
