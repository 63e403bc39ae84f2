// SPDX-License-Identifier: MIT
// Makes gzip of a text, for tests of what reads it.
#pragma once

#include <stdexcept>
#include <string>
#include <zlib.h>

namespace vmr::test {

inline std::string gzip(std::string text) {
  constexpr int with_gzip_header = 16 + MAX_WBITS;
  z_stream stream{};
  if (::deflateInit2(&stream, 9, Z_DEFLATED, with_gzip_header, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2 failed");
  }
  std::string bytes(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  const int result = ::deflate(&stream, Z_FINISH);
  bytes.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return bytes;
}

}  // namespace vmr::test
