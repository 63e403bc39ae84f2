// SPDX-License-Identifier: MIT
#include "run/line_splitter.hpp"

#include <utility>

namespace vmr {
namespace {

constexpr std::string_view ellipsis = "…";

bool is_utf8_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::vector<std::string> LineSplitter::feed(std::string_view bytes) {
  std::vector<std::string> lines;
  for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
    append(bytes.substr(0, end));
    lines.push_back(take_line());
    bytes.remove_prefix(end + 1);
  }
  append(bytes);
  return lines;
}

std::optional<std::string> LineSplitter::finish() {
  if (line_.empty()) return std::nullopt;
  return take_line();
}

void LineSplitter::append(std::string_view part) {
  const auto room = longest_ - line_.size();
  too_long_ = too_long_ || part.size() > room;
  line_ += part.substr(0, room);
}

std::string LineSplitter::take_line() {
  if (std::exchange(too_long_, false)) {
    auto end = longest_ - ellipsis.size();
    // A character has at most three continuation bytes; more is not UTF-8 and may be cut anywhere.
    for (int i = 0; i < 3 && is_utf8_continuation(line_[end]); ++i) --end;
    line_.replace(end, line_.npos, ellipsis);
  }
  return std::exchange(line_, {});
}

}  // namespace vmr
