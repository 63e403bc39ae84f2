// SPDX-License-Identifier: MIT
#include "run/mark_scanner.hpp"

#include "base/ascii.hpp"
#include "plan/exec_script.hpp"

#include <algorithm>
#include <utility>

namespace vmr {
namespace {

bool is_in_word(char c) {
  return is_ascii_digit(c) || c == '-';
}

/// How many bytes at the end of `text` are the beginning of `token`.
std::size_t overlap(std::string_view text, std::string_view token) {
  auto size = std::min(text.size(), token.size() - 1);
  while (!text.ends_with(token.substr(0, size))) --size;
  return size;
}

}  // namespace

MarkScanner::Found MarkScanner::feed(std::string_view bytes) {
  Found found;
  held_ += bytes;
  std::string_view rest = held_;
  const auto pass = [&](std::size_t size) {
    found.data += rest.substr(0, size);
    rest.remove_prefix(size);
  };
  while (true) {
    const auto at = rest.find(token_);
    if (at == rest.npos) {
      pass(rest.size() - overlap(rest, token_));
      break;
    }
    pass(at);
    const auto behind = rest.substr(token_.size());
    const auto longest = behind.substr(0, longest_status_mark + 1);
    const auto end = std::find_if_not(longest.begin(), longest.end(), is_in_word);
    if (end == longest.end() && longest.size() <= longest_status_mark) break;  // more may come
    if (end == longest.end() || *end != '\n') {
      pass(1);
      continue;
    }
    const auto word = longest.substr(0, static_cast<std::size_t>(end - longest.begin()));
    found.marks.emplace_back(word);
    rest.remove_prefix(token_.size() + word.size() + 1);
  }
  held_ = std::string(rest);
  return found;
}

std::string MarkScanner::finish() {
  return std::exchange(held_, {});
}

}  // namespace vmr
