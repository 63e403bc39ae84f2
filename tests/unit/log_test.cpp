// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <functional>
#include <unistd.h>

namespace vmr::test {
namespace {

/// What `action` writes to standard error.
std::string standard_error_of(const std::function<void()>& action) {
  Pipe pipe;
  const UniqueFd before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(pipe.writing.get(), STDERR_FILENO);
  action();
  ::dup2(before.get(), STDERR_FILENO);
  pipe.writing.reset();
  return read_all(pipe.reading);
}

/// Puts the default level back at the end.
struct LevelGuard {
  ~LevelGuard() { set_log_level(LogLevel::info); }
};

TEST_CASE("each level has its mark") {
  const LevelGuard guard;
  set_log_level(LogLevel::debug);
  CHECK(standard_error_of([] {
          log_debug("a {}", 1);
          log_info("b");
          log_warn("c '{}'", "d");
          log_error("{}", "e {}");
        }) == "[DEBUG] a 1\n[INFO] b\n[WARN] c 'd'\n[ERROR] e {}\n");
}

TEST_CASE("debug is off unless asked for") {
  const LevelGuard guard;
  const auto all = [] {
    log_debug("d");
    log_info("i");
    log_error("e");
  };
  CHECK(standard_error_of(all) == "[INFO] i\n[ERROR] e\n");
  set_log_level(LogLevel::error);
  CHECK(standard_error_of(all) == "[ERROR] e\n");
}

TEST_CASE("an event stays on one line") {
  CHECK(standard_error_of([] { log(LogLevel::info, "a\nb\t\x1b[31m\r {} %s \xc3\xbc"); }) ==
        "[INFO] a\\nb\\t\\x1b[31m\\x0d {} %s \xc3\xbc\n");
}

TEST_CASE("a closed standard error does no harm") {
  const auto pid = fork_and_run([] {
    ::close(STDERR_FILENO);
    log_error("lost");
    return 7;
  });
  CHECK(wait_for(pid) == 7);
}

}  // namespace
}  // namespace vmr::test
