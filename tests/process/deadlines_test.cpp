// SPDX-License-Identifier: MIT
#include "run/deadlines.hpp"

#include "support/text_file.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace vmr::test {
namespace {

using namespace std::chrono_literals;

/// In how many seconds the kernel will wake this process by a timer; the least there is.
long seconds_to_next_wake() {
  long seconds = 1'000'000;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone) != "anon_inode:[timerfd]") continue;
    const auto text = read_text("/proc/self/fdinfo/" + entry.path().filename().string());
    const std::string value = "it_value: (";
    seconds = std::min(seconds, std::stol(text.substr(text.find(value) + value.size())));
  }
  return seconds;
}

TEST_CASE("deadlines: one that passes is told, and the last time that it was given counts") {
  boost::asio::io_context context;
  std::vector<Timer> reached;
  Deadlines deadlines(context, [&](Timer timer) { reached.push_back(timer); });
  deadlines.arm(Timer::quit, 1h);
  deadlines.arm(Timer::kill, 0ms);
  deadlines.arm(Timer::quit, 1ms);
  context.run();
  CHECK(reached == std::vector<Timer>{Timer::kill, Timer::quit});
}

TEST_CASE("deadlines: one that was disarmed is not told, and wakes nobody") {
  boost::asio::io_context context;
  std::vector<Timer> reached;
  Deadlines deadlines(context, [&](Timer timer) { reached.push_back(timer); });
  deadlines.arm(Timer::start, 60s);
  context.poll();
  CHECK(seconds_to_next_wake() <= 60);
  deadlines.disarm(Timer::start);
  context.run();
  CHECK(reached.empty());
  CHECK(seconds_to_next_wake() > 290);
}

}  // namespace
}  // namespace vmr::test
