// SPDX-License-Identifier: MIT
#include "run/child.hpp"
#include "support/processes.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

using test::Pipe;
using namespace std::chrono_literals;

constexpr int orphan_count = 300;
constexpr int child_count = 60;

/// In the forked processes below doctest cannot report: a failed check is an exception.
void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

bool has_no_processes() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

/// Runs `io` until `done`, at most for twenty seconds.
void run_until(boost::asio::io_context& io, const std::function<bool()>& done,
               const std::string& what) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!done()) {
    require(std::chrono::steady_clock::now() < deadline, "timeout: " + what);
    io.run_one_for(100ms);
  }
}

/// Makes 300 orphans that live until `release` is closed, then write one byte to `results`: 'y' if
/// this process has become their parent.
void make_orphans(Pipe& release, Pipe& results) {
  const pid_t adopter = ::getpid();
  const pid_t parent = test::fork_and_run([&] {
    release.writing.reset();
    for (int i = 0; i < orphan_count; ++i) {
      const pid_t orphan = test::fork_and_run([&] {
        test::read_all(release.reading);
        const char mine = ::getppid() == adopter ? 'y' : 'n';
        return ::write(results.writing.get(), &mine, 1) == 1 ? 0 : 1;
      });
      require(orphan > 0, "fork");
    }
    return 0;
  });
  // Only looked at: the Reaper shall wait for this one too.
  siginfo_t info{};
  require(::waitid(P_PID, parent, &info, WEXITED | WNOWAIT) == 0 && info.si_status == 0, "parent");
}

/// 60 children and 300 orphans end at the same time; every status arrives and nothing is left.
int reap_among_children() {
  Pipe release;
  Pipe results;
  make_orphans(release, results);
  results.writing.reset();

  boost::asio::io_context io;
  const Reaper reaper(io.get_executor());
  std::vector<std::unique_ptr<Child>> children;
  std::vector<std::string> ends;
  std::vector<std::string> expected;
  for (int i = 0; i < child_count; ++i) {
    expected.push_back(fmt::format("{}: exit status {}", i, i));
    const ChildSpec spec{"child",
                         {"/bin/sh", "-c", fmt::format("cat <&3; exit {}", i)},
                         {{release.reading.get(), 3}}};
    children.push_back(std::make_unique<Child>(
        io.get_executor(), spec, Child::OnLine{}, [&ends, i](const ChildExit& exit) {
          ends.push_back(fmt::format("{}: {}", i, describe(exit)));
        }));
  }
  release.writing.reset();
  run_until(
      io, [&] { return ends.size() == child_count && has_no_processes(); }, "all are gone");

  std::sort(ends.begin(), ends.end());
  std::sort(expected.begin(), expected.end());
  require(ends == expected, "a status is wrong");
  require(test::read_all(results.reading) == std::string(orphan_count, 'y'), "an orphan is lost");
  return 0;
}

TEST_CASE("a subreaper reaps 300 orphans and every status of 60 children is right") {
  const pid_t pid = test::fork_and_run([] {
    require(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "PR_SET_CHILD_SUBREAPER");
    return reap_among_children();
  });
  CHECK(test::wait_for(pid) == 0);
}

TEST_CASE("process 1 reaps 300 orphans and every status of 60 children is right") {
  constexpr int not_permitted = 77;
  const pid_t pid = test::fork_and_run([] {
    if (::unshare(CLONE_NEWPID) != 0) return not_permitted;
    return test::wait_for(test::fork_and_run([] {
      require(::getpid() == 1, "this is not process 1");
      return reap_among_children();
    }));
  });
  const int status = test::wait_for(pid);
  if (status == not_permitted) {
    MESSAGE("SKIPPED: a new pid namespace is not permitted here");
  } else {
    CHECK(status == 0);
  }
}

/// An orphan that ends while an ended Child, still waiting for its output, stands before it.
int reap_behind_a_child() {
  require(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "PR_SET_CHILD_SUBREAPER");
  boost::asio::io_context io;
  Pipe daemon_lives;
  std::optional<ChildExit> end;
  const Reaper reaper(io.get_executor());
  // The daemon has left the group and keeps the output open until our pipe is closed.
  Child child(
      io.get_executor(),
      {"child", {"/bin/sh", "-c", "setsid cat <&3 & exit 5"}, {{daemon_lives.reading.get(), 3}}},
      {}, [&](const ChildExit& exit) { end = exit; });
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT);
  const pid_t orphan = test::fork_and_run([] { return 0; });
  ::waitid(P_PID, static_cast<id_t>(orphan), &info, WEXITED | WNOWAIT);

  run_until(
      io, [&] { return end.has_value(); }, "the child's end");
  require(describe(*end) == "exit status 5", "the status is wrong");
  run_until(
      io, [&] { return ::kill(orphan, 0) != 0; }, "the orphan behind the child");
  daemon_lives.writing.reset();
  run_until(io, has_no_processes, "the daemon");

  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  require(used.ru_utime.tv_sec == 0 && used.ru_stime.tv_sec == 0 &&
              used.ru_utime.tv_usec + used.ru_stime.tv_usec < 150000,
          "it spins");
  return 0;
}

TEST_CASE("an orphan hidden behind an ended child is reaped without spinning") {
  CHECK(test::wait_for(test::fork_and_run(reap_behind_a_child)) == 0);
}

TEST_CASE("without a reaper nobody is waited for any more") {
  const pid_t pid = test::fork_and_run([] {
    boost::asio::io_context io;
    { const Reaper reaper(io.get_executor()); }
    io.run();
    const pid_t own = test::fork_and_run([] { return 6; });
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(own), &info, WEXITED | WNOWAIT);
    io.restart();
    io.poll();
    return test::wait_for(own);
  });
  CHECK(test::wait_for(pid) == 6);
}

}  // namespace
}  // namespace vmr
