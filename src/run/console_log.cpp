// SPDX-License-Identifier: MIT
#include "run/console_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {

ConsoleLog::ConsoleLog(std::size_t capacity) : bytes_(capacity, '\0') {}

void ConsoleLog::append(std::string_view bytes) {
  const auto lost = bytes.size() - std::min(bytes.size(), bytes_.size());
  end_ += lost;
  bytes.remove_prefix(lost);
  while (!bytes.empty()) {
    const auto at = static_cast<std::size_t>(end_ % bytes_.size());
    const auto count = bytes.copy(bytes_.data() + at, bytes_.size() - at);
    end_ += count;
    bytes.remove_prefix(count);
  }
}

std::uint64_t ConsoleLog::begin() const {
  return end_ - std::min<std::uint64_t>(end_, bytes_.size());
}

std::string_view ConsoleLog::piece_at(std::uint64_t position) const {
  const auto at = static_cast<std::size_t>(position % bytes_.size());
  const auto left = static_cast<std::size_t>(end_ - position);
  return std::string_view(bytes_).substr(at, left);
}

std::string_view ConsoleReader::next() {
  if (notice_.empty() && position_ < log_.begin()) {
    notice_ = fmt::format("\r\n[vm-runner: {} bytes of the console are left out here]\r\n",
                          log_.begin() - position_);
    position_ = log_.begin();
  }
  return notice_.empty() ? log_.piece_at(position_) : notice_;
}

void ConsoleReader::advance(std::size_t count) {
  if (notice_.empty()) {
    position_ += count;
  } else {
    notice_.erase(0, count);
  }
}

}  // namespace vmr
