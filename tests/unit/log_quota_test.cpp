// SPDX-License-Identifier: MIT
#include "run/log_quota.hpp"

#include <doctest/doctest.h>

namespace vmr {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a flood of lines fills the log to a bound and what was left out is counted") {
  LogQuota quota;
  const LogQuota::Time start{1h};
  for (std::size_t i = 0; i < LogQuota::burst; ++i) CHECK(quota.admit(start) == 0);
  for (int i = 0; i < 1000; ++i) CHECK(quota.admit(start) == std::nullopt);
  CHECK(quota.left_out() == 1000);
  CHECK(quota.admit(start + 99ms) == std::nullopt);
  CHECK(quota.admit(start + 100ms) == 1001);
  CHECK(quota.left_out() == 0);
  CHECK(quota.admit(start + 100ms) == std::nullopt);
  CHECK(quota.admit(start + 299ms) == 1);
  CHECK(quota.admit(start + 300ms) == 0);
}

TEST_CASE("after a pause there is room for a burst again but not for more") {
  LogQuota quota;
  LogQuota::Time now{1h};
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < LogQuota::burst; ++i) CHECK(quota.admit(now).has_value());
    CHECK(quota.admit(now) == std::nullopt);
    now += 24h;
  }
}

TEST_CASE("a few lines now and then are all admitted") {
  LogQuota quota;
  for (int i = 0; i < 5000; ++i) CHECK(quota.admit(LogQuota::Time(i * 100ms)) == 0);
}

}  // namespace
}  // namespace vmr
