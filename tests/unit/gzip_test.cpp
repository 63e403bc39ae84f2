// SPDX-License-Identifier: MIT
#include "base/gzip.hpp"

#include "base/base64.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr {

std::ostream& operator<<(std::ostream& out, const Gunzipped& text) {
  return out << '"' << text.bytes << '"' << (text.is_cut ? " (cut)" : "");
}

namespace {

/// "hello" as gzip(1) makes it without name and time.
const std::string hello = decode_base64("H4sIAAAAAAAC/8tIzcnJBwCGphA2BQAAAA==");

TEST_CASE("gzip is expanded, member after member") {
  CHECK(gunzip(hello, 100) == Gunzipped{"hello"});
  CHECK(gunzip(hello + hello, 100) == Gunzipped{"hellohello"});
  CHECK(gunzip(hello + std::string(3, '\0'), 100) == Gunzipped{"hello"});
}

TEST_CASE("of gzip no more is made than is wanted") {
  CHECK(gunzip(hello, 5) == Gunzipped{"hello"});
  CHECK(gunzip(hello, 4) == Gunzipped{"hell", true});
  CHECK(gunzip(hello + hello, 7) == Gunzipped{"hellohe", true});
}

TEST_CASE("what is no gzip, or damaged, is told from it") {
  auto damaged = hello;
  damaged[damaged.size() - 6] ^= 1;  // the checksum
  for (const auto& bytes : {std::string(), std::string("hello"), hello.substr(0, 12), damaged,
                            hello + "junk", std::string("\x1f\x8b")}) {
    CAPTURE(bytes);
    CHECK(gunzip(bytes, 100) == std::nullopt);
  }
}

TEST_CASE("base64 is read as mail programs read it") {
  CHECK(decode_base64("aGVsbG8=") == "hello");
  CHECK(decode_base64("aGVs\r\n bG8") == "hello");
  CHECK(decode_base64("") == "");
  for (const auto& bytes : {std::string("a"), std::string("ab\0\xff", 4), std::string(100, 'x')}) {
    CHECK(decode_base64(base64(bytes)) == bytes);
  }
}

}  // namespace
}  // namespace vmr
