// SPDX-License-Identifier: MIT
#include "host/fingerprint.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace vmr::test {
namespace {

TEST_CASE("a fingerprint tells images apart, and not where they are") {
  const auto of = [](const std::string& bytes) {
    return fingerprint_of(
        [&bytes](std::uint64_t offset, std::size_t size) {
          return offset < bytes.size() ? bytes.substr(offset, size) : std::string();
        },
        bytes.size());
  };
  std::string large(9 << 20, 'x');
  const auto before = of(large);
  CHECK(of(large) == before);
  for (const auto place : {std::size_t{0}, std::size_t{100'000}, large.size() - 1}) {
    auto other = large;
    other[place] = 'y';
    CHECK(of(other) != before);
  }
  large += 'x';
  CHECK(of(large) != before);
  CHECK(of("a") != of("b"));
  CHECK(of("").starts_with("0-"));
}

}  // namespace
}  // namespace vmr::test
