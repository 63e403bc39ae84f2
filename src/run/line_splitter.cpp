// SPDX-License-Identifier: MIT
#include "run/line_splitter.hpp"

#include "base/utf8.hpp"

#include <utility>

namespace vmr {
namespace {

constexpr std::string_view ellipsis = "…";

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
    line_.replace(cut_for(line_, longest_ - ellipsis.size()), line_.npos, ellipsis);
  }
  return std::exchange(line_, {});
}

}  // namespace vmr
