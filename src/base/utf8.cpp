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

}  // namespace vmr
