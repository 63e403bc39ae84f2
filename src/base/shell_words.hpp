// SPDX-License-Identifier: MIT
// The one place that reads and prints shell words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// `word` as one word of a POSIX shell (or bash) command line; bare where nothing in it is special.
std::string shell_quote(std::string_view word);

/// The same in printable ASCII and newlines only; the shell makes other bytes with its printf. NUL
/// cannot be in it.
std::string shell_quote_ascii(std::string_view word);

/// `words` quoted and joined by single spaces.
std::string shell_join(const std::vector<std::string>& words);

/// Splits `line` as a POSIX shell would: blanks, backslash, '…' and "…"; nothing is expanded.
/// None when a quote or a final backslash is left open.
std::optional<std::vector<std::string>> shell_split(std::string_view line);

}  // namespace vmr
