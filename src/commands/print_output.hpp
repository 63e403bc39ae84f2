// SPDX-License-Identifier: MIT
// The one place where a command writes its result. Not stdio: what that cannot write when the
// program ends, nobody hears of.
#pragma once

#include <exception>
#include <string_view>

namespace vmr {

/// Who reads our output has gone, as `head` does: the command has failed, but there is nothing to
/// say.
struct ReaderGone : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "nobody reads the output"; }
};

/// Writes `text` to standard output; throws Error where that cannot take all of it, and ReaderGone
/// at a closed pipe.
void print_output(std::string_view text);

}  // namespace vmr
