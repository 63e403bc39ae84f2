// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// Splits a stream of bytes into lines without their newlines; what exceeds `longest` bytes of a
/// line is replaced by "…". Never holds more than one line.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t longest = 4096) : longest_(longest) {}

  /// The lines that `bytes` completes.
  std::vector<std::string> feed(std::string_view bytes);

  /// At the end of the stream: the last line, if it had no newline.
  std::optional<std::string> finish();

 private:
  void append(std::string_view part);
  std::string take_line();

  std::size_t longest_;
  std::string line_;
  bool too_long_ = false;
};

}  // namespace vmr
