// SPDX-License-Identifier: MIT
#include "base/base64.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vmr;
using namespace std::string_literals;

TEST_CASE("base64 as RFC 4648 gives it") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("base64 of bytes that are no text") {
  CHECK(base64("\0\0\0"s) == "AAAA");
  CHECK(base64("\xff\xff\xff") == "////");
  CHECK(base64("\xfb\xef\xbe\x80") == "++++gA==");
  CHECK(base64(std::string(3000, 'a')).size() == 4000);
}
