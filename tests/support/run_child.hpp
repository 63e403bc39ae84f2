// SPDX-License-Identifier: MIT
// A shell as a child of the launcher, and what came of it.
#pragma once

#include "run/child.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <sys/wait.h>
#include <utility>
#include <vector>

namespace vmr::test {

inline ChildSpec shell(const std::string& script,
                       std::vector<std::pair<int, int>> descriptors = {}) {
  return {"shell", {"/bin/sh", "-c", script}, std::move(descriptors)};
}

struct Outcome {
  std::vector<std::string> lines;
  std::vector<ChildExit> exits;

  bool operator==(const Outcome&) const = default;
};

inline Outcome run(const ChildSpec& spec) {
  boost::asio::io_context io;
  Outcome outcome;
  Child child(
      io.get_executor(), spec, [&](const std::string& line) { outcome.lines.push_back(line); },
      [&](const ChildExit& exit) { outcome.exits.push_back(exit); });
  io.run();
  return outcome;
}

/// What a child that ended with status 0 wrote.
inline std::vector<std::string> lines_of(const ChildSpec& spec) {
  const auto outcome = run(spec);
  REQUIRE(outcome.exits.size() == 1);
  CHECK(describe(outcome.exits.front()) == "exit status 0");
  return outcome.lines;
}

inline bool has_no_children() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

}  // namespace vmr::test
