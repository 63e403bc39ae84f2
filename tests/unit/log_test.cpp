// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <unistd.h>

namespace vmr::test {
namespace {

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

/// 2026-11-24 11:22:33.007 UTC.
std::chrono::system_clock::time_point some_time() {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(1795519353007));
}

TEST_CASE("an event as a line of text or as an object") {
  const LogFields fields = {{"process", "qemu"}, {"empty", ""}, {"state", "a\"b\xff"}};
  CHECK(log_line(LogFormat::text, LogLevel::warn, "a \"b\"", fields, some_time()) ==
        "[WARN] a \"b\"\n");
  CHECK(log_line(LogFormat::json, LogLevel::warn, "a \"b\"", fields, some_time()) ==
        "{\"time\":\"2026-11-24T11:22:33.007Z\",\"level\":\"warn\",\"message\":\"a \\\"b\\\"\","
        "\"process\":\"qemu\",\"state\":\"a\\\"b\xef\xbf\xbd\"}\n");
}

TEST_CASE("hostile text in an object") {
  const std::string start =
      "{\"time\":\"2026-11-24T11:22:33.007Z\",\"level\":\"info\",\"message\":";
  const auto line = [](std::string_view text) {
    return log_line(LogFormat::json, LogLevel::info, text, {}, some_time());
  };
  CHECK(line("a\nb\t\x1b[31m\r \\ \xc3\xbc") ==
        start + "\"a\\\\nb\\\\t\\\\x1b[31m\\\\x0d \\\\ \xc3\xbc\"}\n");
  CHECK(line("cut \xe2\x82") == start + "\"cut \xef\xbf\xbd\"}\n");
  CHECK(line("\xff\xc0\x80\xed\xa0\x80").find('\xff') == std::string::npos);
  CHECK(line(std::string(100000, 'x')).size() == start.size() + 100004);
}

TEST_CASE("what is told of problems and failures, as text and as objects") {
  const auto told = [] {
    report(Problem{"a='b\nc': no", "A (environment)", "do", ExitStatus::usage});
    report(Problem{"no guest", "", "", ExitStatus::usage});
    report(Error("cannot start", "no\"file", ""));
  };
  CHECK(standard_error_of(told) ==
        "error: a='b\\nc': no\n  from:  A (environment)\n  hint:  do\nerror: no guest\n"
        "error: cannot start\n  cause: no\"file\n");
  set_log_format(LogFormat::json);
  auto objects = standard_error_of(told);
  set_log_format(LogFormat::text);
  for (auto at = objects.find("{\"time\":"); at != objects.npos; at = objects.find("{\"time\":")) {
    const auto end = objects.find("Z\",");
    REQUIRE(end == at + 32);
    objects.erase(at, 35);
  }
  CHECK(objects ==
        "\"level\":\"error\",\"message\":\"a='b\\\\nc': no\",\"from\":\"A (environment)\","
        "\"hint\":\"do\"}\n"
        "\"level\":\"error\",\"message\":\"no guest\"}\n"
        "\"level\":\"error\",\"message\":\"cannot start\",\"cause\":\"no\\\"file\"}\n");
}

TEST_CASE("each level has its colour on a terminal, which ends with its lines") {
  CHECK(in_colour_of(LogLevel::debug, "[DEBUG] a\n") == "\x1b[0;2m[DEBUG] a\x1b[0m\n");
  CHECK(in_colour_of(LogLevel::info, "[INFO] a\n") == "\x1b[0;36m[INFO] a\x1b[0m\n");
  CHECK(in_colour_of(LogLevel::warn, "[WARN] a\n") == "\x1b[0;33m[WARN] a\x1b[0m\n");
  CHECK(in_colour_of(LogLevel::error, "error: a\n  hint:  b\n") ==
        "\x1b[0;31merror: a\n  hint:  b\x1b[0m\n");
  const auto told = [] {
    set_log_colour(true);
    log_info("a");
    set_log_format(LogFormat::json);
    log_info("b");
  };
  const auto seen = standard_error_of(told);
  set_log_colour(false);
  set_log_format(LogFormat::text);
  CHECK(seen.starts_with("\x1b[0;36m[INFO] a\x1b[0m\n{"));
  CHECK(seen.find('\x1b', 20) == seen.npos);
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
