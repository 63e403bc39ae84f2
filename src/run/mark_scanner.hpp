// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// Takes the marks (see plan/exec_script.hpp) out of a stream from the guest, wherever its pieces
/// are cut. Holds back no more than what may be the beginning of a mark.
class MarkScanner {
 public:
  struct Found {
    std::string data;                ///< what is no mark
    std::vector<std::string> marks;  ///< their words

    bool operator==(const Found&) const = default;
  };

  explicit MarkScanner(std::string token) : token_(std::move(token)) {}

  /// What `bytes` adds.
  Found feed(std::string_view bytes);

  /// At the end of the stream: what was held back.
  std::string finish();

 private:
  std::string token_;
  std::string held_;
};

}  // namespace vmr
