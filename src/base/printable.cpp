// SPDX-License-Identifier: MIT
#include "base/printable.hpp"

#include "base/utf8.hpp"

#include <boost/json.hpp>
#include <boost/nowide/utf/utf.hpp>
#include <fmt/format.h>

#include <cstdint>

namespace vmr {
namespace {

/// Unicode's Cc, Zl, Zp and Bidi_Control. A terminal takes U+009B for the beginning of a command.
constexpr bool is_obeyed(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e ||
         code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/// `text` with `escape(code, size)` in place of each such character, which has `size` bytes there.
template <typename Escape>
std::string written_out(std::string_view text, Escape escape) {
  using utf8 = boost::nowide::utf::utf_traits<char>;
  std::string shown;
  shown.reserve(text.size());
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const char* const start = at;
    auto code = static_cast<std::uint32_t>(utf8::decode(at, end));
    if (code == boost::nowide::utf::illegal || code == boost::nowide::utf::incomplete) {
      // A terminal that knows no UTF-8 obeys the byte of the same number.
      at = start + 1;
      code = static_cast<unsigned char>(*start);
    }
    if (is_obeyed(code)) {
      shown += escape(code, at - start);
    } else {
      shown.append(start, at);
    }
  }
  return shown;
}

}  // namespace

std::string on_one_line(std::string_view text) {
  return written_out(text, [](std::uint32_t code, std::ptrdiff_t size) -> std::string {
    if (code == '\n') return "\\n";
    if (code == '\t') return "\\t";
    return size == 1 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
  });
}

std::string with_escapes(std::string_view text) {
  // None of them has more than four digits.
  return written_out(
      text, [](std::uint32_t code, std::ptrdiff_t) { return fmt::format("\\u{:04x}", code); });
}

std::string json_line(const boost::json::value& value) {
  // All of them stand in strings.
  return with_escapes(to_utf8(boost::json::serialize(value))) + "\n";
}

}  // namespace vmr
