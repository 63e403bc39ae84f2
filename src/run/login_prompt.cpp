// SPDX-License-Identifier: MIT
#include "run/login_prompt.hpp"

namespace vmr {
namespace {

constexpr std::size_t longest_line = 512;  // a host name and more
constexpr std::size_t lines_of_a_screen = 24;

}  // namespace

void LoginPrompt::take(std::string_view text) {
  for (const char c : text) {
    if (c == '\n') ++lines_since_;
    if (c == '\n' || c == '\r' || line_.size() == longest_line) line_.clear();
    if (c != '\n' && c != '\r') line_ += c;
  }
}

bool LoginPrompt::is_new() const {
  if (was_told_ && lines_since_ < lines_of_a_screen) return false;
  const auto end = line_.find_last_not_of(' ');
  return end != line_.npos && std::string_view(line_).substr(0, end + 1).ends_with("login:");
}

void LoginPrompt::told() {
  was_told_ = true;
  lines_since_ = 0;
}

}  // namespace vmr
