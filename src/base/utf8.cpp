// SPDX-License-Identifier: MIT
#include "base/utf8.hpp"

#include <boost/nowide/utf/convert.hpp>

namespace vmr {

std::string to_utf8(const std::string& text) {
  const char* const begin = text.data();
  return boost::nowide::utf::convert_string<char>(begin, begin + text.size());
}

bool is_utf8(const std::string& text) {
  return to_utf8(text) == text;
}

std::size_t cut_for(std::string_view text, std::size_t size) {
  if (size >= text.size()) return text.size();
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
  };
  // A character has at most three continuation bytes; more is not UTF-8 and may be cut anywhere.
  for (int i = 0; i < 3 && size > 0 && is_continuation(text[size]); ++i) --size;
  return size;
}

}  // namespace vmr
