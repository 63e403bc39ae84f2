// SPDX-License-Identifier: MIT
#include "base/gzip.hpp"

#define ZLIB_CONST  // what is read is not written to
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <zlib.h>

namespace vmr {
namespace {

struct EndInflate {
  void operator()(z_stream* stream) const { ::inflateEnd(stream); }
};

/// One member; takes what it reads off `bytes`. False: damaged, or no gzip.
bool read_member(std::string_view& bytes, std::size_t limit, Gunzipped& text) {
  constexpr int only_gzip = 16 + MAX_WBITS;
  z_stream stream{};
  if (::inflateInit2(&stream, only_gzip) != Z_OK) return false;
  const std::unique_ptr<z_stream, EndInflate> end(&stream);
  std::array<unsigned char, 16384> piece{};
  for (int result = Z_OK; result != Z_STREAM_END;) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    const auto given = std::min(bytes.size(), most);
    stream.next_in = reinterpret_cast<const unsigned char*>(bytes.data());
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = piece.data();
    stream.avail_out = piece.size();
    result = ::inflate(&stream, Z_NO_FLUSH);
    // Z_BUF_ERROR too: nothing is left to read, and it is not the end.
    if (result != Z_OK && result != Z_STREAM_END) return false;
    bytes.remove_prefix(given - stream.avail_in);
    text.bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
    if (text.bytes.size() > limit) {
      text.bytes.resize(limit);
      text.is_cut = true;
      return true;
    }
  }
  return true;
}

}  // namespace

std::optional<Gunzipped> gunzip(std::string_view bytes, std::size_t limit) {
  if (bytes.empty()) return std::nullopt;
  Gunzipped text;
  while (!bytes.empty() && !text.is_cut) {
    if (!read_member(bytes, limit, text)) return std::nullopt;
    bytes.remove_prefix(std::min(bytes.find_first_not_of('\0'), bytes.size()));
  }
  return text;
}

}  // namespace vmr
