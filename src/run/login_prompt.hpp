// SPDX-License-Identifier: MIT
// Finds out when somebody is asked to log in at the guest's console.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vmr {

/// Follows what the guest says for a prompt that getty leaves: a line that ends with "login:".
class LoginPrompt {
 public:
  void take(std::string_view text);

  /// Whether what was said ends with such a prompt, and what was told at the last one has left the
  /// screen.
  [[nodiscard]] bool is_new() const;

  /// What is to be known at the prompt has been told now.
  void told();

  /// The line that the guest is in.
  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  std::string line_;
  bool was_told_ = false;
  std::size_t lines_since_ = 0;
};

}  // namespace vmr
