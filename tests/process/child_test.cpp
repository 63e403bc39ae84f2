// SPDX-License-Identifier: MIT
#include "run/child.hpp"

#include "base/error.hpp"
#include "host/abilities.hpp"
#include "support/processes.hpp"
#include "support/run_child.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace vmr {
namespace {

using Lines = std::vector<std::string>;
using test::has_no_children;
using test::lines_of;
using test::Outcome;
using test::Pipe;
using test::run;
using test::shell;
using test::TemporaryFolder;

void check_cannot_start(const std::string& program, const std::string& cause) {
  boost::asio::io_context io;
  try {
    Child child(io.get_executor(), {"qemu", {program, "-x"}, {}}, {}, {});
    FAIL("it was started");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "cannot start qemu: " + program);
    CHECK(error.cause == cause);
    CHECK(error.status == ExitStatus::failed);
  }
  CHECK(has_no_children());
}

std::string link_of(const UniqueFd& file) {
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file.get())).string();
}

/// Opens `path` as descriptor `number`.
UniqueFd open_as(int number, const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  return UniqueFd(::dup2(file.get(), number));
}

TEST_CASE("a program that cannot be executed is named with the reason") {
  TemporaryFolder folder;
  std::ofstream(folder / "no-program") << "just text\n";
  check_cannot_start("/nowhere/qemu, $(x) \"é\n", "No such file or directory");
  check_cannot_start(folder / "no-program", "Permission denied");
  check_cannot_start(folder.path(), "Permission denied");
  std::filesystem::permissions(folder / "no-program", std::filesystem::perms::owner_all);
  check_cannot_start(folder / "no-program", "Exec format error");
}

TEST_CASE("a failed exec is reported whatever numbers are mapped") {
  for (int number = 3; number < 40; ++number) {
    boost::asio::io_context io;
    const ChildSpec spec{"qemu", {"/nowhere/qemu"}, {{STDERR_FILENO, number}}};
    CHECK_THROWS_AS(Child(io.get_executor(), spec, {}, {}), Error);
  }
  CHECK(has_no_children());
}

TEST_CASE("a descriptor that is not open is reported") {
  boost::asio::io_context io;
  try {
    Child child(io.get_executor(), shell("true", {{987, 3}}), {}, {});
    FAIL("it was started");
  } catch (const Error& error) {
    CHECK(error.cause == "Bad file descriptor");
  }
  CHECK(has_no_children());
}

TEST_CASE("an exit status and a signal of the same number are told apart") {
  CHECK(run(shell("exit 9")) == Outcome{{}, {{.signaled = false, .code = 9, .last_lines = {}}}});
  CHECK(run(shell("kill -9 $$")) == Outcome{{}, {{.signaled = true, .code = 9, .last_lines = {}}}});
}

TEST_CASE("the end of a child is described in words") {
  CHECK(describe({.signaled = false, .code = 1, .last_lines = {}}) == "exit status 1");
  CHECK(describe({.signaled = true, .code = 9, .last_lines = {}}) == "signal 9 (Killed)");
  CHECK(describe({.signaled = true, .code = 6, .last_lines = {}}) == "signal 6 (Aborted)");
  CHECK(describe({.signaled = true, .code = 40, .last_lines = {}}) == "signal 40");
}

TEST_CASE("output and errors arrive line by line in order") {
  const Lines lines = {"one", "two $(x)", "", "thr", "ée"};
  CHECK(run(shell("echo one; echo 'two $(x)' >&2; echo; printf 'thr\\née'; exit 3")) ==
        Outcome{lines, {{.signaled = false, .code = 3, .last_lines = lines}}});
}

TEST_CASE("the arguments reach the program as they are") {
  const std::string hostile = "a,b 'c' \"d\"\n%s $(e) `f` \\ é*";
  const ChildSpec spec{"printf", {"/usr/bin/printf", "%s|", hostile, "", "x"}, {}};
  CHECK(lines_of(spec) == Lines{"a,b 'c' \"d\"", "%s $(e) `f` \\ é*||x|"});
}

TEST_CASE("a very long line is cut") {
  const Lines lines = {std::string(4093, '0') + "…", "end"};
  CHECK(lines_of(shell("printf '%01000000d\\nend\\n' 0")) == lines);
}

TEST_CASE("of a flood the last twenty lines are kept") {
  const auto outcome = run(shell("seq 1 100000; head -c 4000000 /dev/zero"));
  REQUIRE(outcome.exits.size() == 1);
  CHECK(outcome.lines.size() == 100001);
  Lines last;
  for (int i = 99982; i <= 100000; ++i) last.push_back(std::to_string(i));
  last.push_back(std::string(4093, '\0') + "…");
  CHECK(outcome.exits.front().last_lines == last);
}

TEST_CASE("the child has exactly the descriptors it was given") {
  TemporaryFolder folder;
  const auto first = open_as(60, folder / "first");
  const auto second = open_as(61, folder / "second");
  const auto leaking_low = open_as(50, folder / "leaking");
  const auto leaking_high = open_as(900, folder / "leaking");
  // `ls` is another process than the one whose descriptors it lists.
  CHECK(lines_of(shell("ls /proc/$$/fd; readlink /proc/$$/fd/3 /proc/$$/fd/200; :",
                       {{60, 200}, {61, 3}})) ==
        Lines{"0", "1", "2", "200", "3", link_of(second), link_of(first)});
}

TEST_CASE("a child finds a folder at a place of its own that nobody else sees") {
  if (!AbilitiesProbe(AbilitiesProbe::Scope::virtiofs).wait().abilities.sys_admin) {
    MESSAGE("SKIPPED: this process may not mount");
    return;
  }
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "a, 'ü' 100%/in");
  std::filesystem::create_directory(folder / "place");
  const UniqueFd source(::open((folder / "a, 'ü' 100%").c_str(), O_PATH | O_CLOEXEC));
  auto spec = shell("ls '" + folder / "place" + "'");
  spec.mount = {source.get(), folder / "a, 'ü' 100%", folder / "place"};
  CHECK(lines_of(spec) == Lines{"in"});
  CHECK(std::filesystem::is_empty(folder / "place"));
  // What took its place since is not what was opened.
  std::filesystem::rename(folder / "a, 'ü' 100%", folder / "moved");
  std::filesystem::create_directory_symlink("/etc", folder / "a, 'ü' 100%");
  boost::asio::io_context io;
  try {
    Child child(io.get_executor(), spec, {}, {});
    FAIL("it was started");
  } catch (const Error& error) {
    CHECK(error.cause == "Too many levels of symbolic links");
  }
}

TEST_CASE("numbers that collide are mapped as if all at once") {
  TemporaryFolder folder;
  const auto a = open_as(60, folder / "a");
  const auto b = open_as(61, folder / "b");
  const auto c = open_as(62, folder / "c");
  const std::string list = "readlink /proc/$$/fd/60 /proc/$$/fd/61; :";
  CHECK(lines_of(shell(list, {{60, 61}, {61, 60}})) == Lines{link_of(b), link_of(a)});
  CHECK(lines_of(shell(list, {{62, 60}, {60, 61}})) == Lines{link_of(c), link_of(a)});
  CHECK(lines_of(shell(list, {{60, 60}, {60, 61}})) == Lines{link_of(a), link_of(a)});
}

TEST_CASE("standard input is empty") {
  CHECK(lines_of(shell("readlink /proc/$$/fd/0; cat")) == Lines{"/dev/null"});
}

TEST_CASE("a launcher without standard streams starts children all the same") {
  const pid_t pid = test::fork_and_run([] {
    for (const int number : {0, 1, 2}) ::close(number);
    return lines_of(shell("ls /proc/$$/fd; :")) == Lines{"0", "1", "2"} ? 0 : 1;
  });
  CHECK(test::wait_for(pid) == 0);
}

TEST_CASE("no signal is blocked or ignored in the child") {
  const pid_t pid = test::fork_and_run([] {
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    ::sigfillset(&blocked);
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
    const auto outcome =
        run({"grep", {"/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}, {}});
    sigset_t after;
    ::sigprocmask(SIG_SETMASK, nullptr, &after);
    const bool own_mask_is_kept = ::sigismember(&after, SIGTERM) == 1;
    const Lines none = {"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"};
    return outcome.lines == none && own_mask_is_kept ? 0 : 1;
  });
  CHECK(test::wait_for(pid) == 0);
}

TEST_CASE("an ignored SIGCHLD loses no exit status") {
  const pid_t pid = test::fork_and_run([] {
    ::signal(SIGCHLD, SIG_IGN);
    return run(shell("exit 7")).exits.front().code;
  });
  CHECK(test::wait_for(pid) == 7);
}

TEST_CASE("a signal goes to the whole group and after the end to nobody") {
  boost::asio::io_context io;
  std::optional<ChildExit> end;
  std::optional<Child> child;
  child.emplace(
      io.get_executor(), shell("sleep 1000 & echo ready; wait"),
      [&](const std::string&) { child->signal(SIGTERM); },
      [&](const ChildExit& exit) { end = exit; });
  io.run();
  CHECK(end == ChildExit{.signaled = true, .code = SIGTERM, .last_lines = {"ready"}});
  child->signal(SIGTERM);
}

TEST_CASE("a child may be destroyed in its own on_line and takes its grandchildren along") {
  Pipe pipe;
  boost::asio::io_context io;
  int lines = 0;
  int exits = 0;
  std::optional<Child> child;
  child.emplace(
      io.get_executor(), shell("sleep 1000 & echo one; echo two; wait", {{pipe.writing.get(), 3}}),
      [&](const std::string&) {
        ++lines;
        child.reset();
      },
      [&](const ChildExit&) { ++exits; });
  pipe.writing.reset();
  io.run();
  CHECK(test::reaches_end(pipe.reading));
  CHECK(lines == 1);
  CHECK(exits == 0);
  CHECK(has_no_children());
}

TEST_CASE("a child may be destroyed in its own on_exit") {
  boost::asio::io_context io;
  int exits = 0;
  std::optional<Child> child;
  child.emplace(io.get_executor(), shell("echo x"), Child::OnLine{}, [&](const ChildExit& exit) {
    child.reset();
    exits += exit.last_lines == Lines{"x"} ? 1 : 100;
  });
  io.run();
  CHECK(exits == 1);
}

TEST_CASE("a child that was never waited for is gone with its object") {
  Pipe pipe;
  boost::asio::io_context io;
  {
    Child child(io.get_executor(), shell("trap '' TERM; sleep 1000", {{pipe.writing.get(), 3}}), {},
                {});
    pipe.writing.reset();
  }
  CHECK(test::reaches_end(pipe.reading));
  CHECK(has_no_children());
}

TEST_CASE("a grandchild that outlives the child is killed before on_exit") {
  Pipe pipe;
  boost::asio::io_context io;
  std::vector<ChildExit> exits;
  Child child(io.get_executor(), shell("sleep 1000 & exit 3", {{pipe.writing.get(), 3}}), {},
              [&](const ChildExit& exit) { exits.push_back(exit); });
  pipe.writing.reset();
  io.run();
  CHECK(exits == std::vector{ChildExit{.signaled = false, .code = 3, .last_lines = {}}});
  CHECK(test::reaches_end(pipe.reading));
}

TEST_CASE("a daemon that keeps the pipe open delays the end only a little") {
  const auto start = std::chrono::steady_clock::now();
  // It ends when the reading end of its pipe is closed, at the end of this test.
  Pipe pipe;
  boost::asio::io_context io;
  std::vector<ChildExit> exits;
  Child child(io.get_executor(),
              shell("setsid cat <&3 & echo x; printf y; exit 3", {{pipe.reading.get(), 3}}), {},
              [&](const ChildExit& exit) { exits.push_back(exit); });
  io.run();
  CHECK(exits == std::vector{ChildExit{.signaled = false, .code = 3, .last_lines = {"x", "y"}}});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("a child dies when its launcher is killed") {
  Pipe alive;
  Pipe ready;
  const pid_t launcher = test::fork_and_run([&] {
    boost::asio::io_context io;
    Child child(io.get_executor(), shell("echo ready; exec sleep 1000", {{alive.writing.get(), 3}}),
                [&](const std::string&) { ready.writing.reset(); }, {});
    io.run();
    return 1;
  });
  alive.writing.reset();
  ready.writing.reset();
  CHECK(test::reaches_end(ready.reading));
  ::kill(launcher, SIGKILL);
  CHECK(test::wait_for(launcher) == 1000 + SIGKILL);
  CHECK(test::reaches_end(alive.reading));
}

TEST_CASE("a hundred children leave no descriptor and no zombie") {
  const int before = test::count_descriptors();
  for (int i = 0; i < 50; ++i) {
    run(shell("exit 1"));
    boost::asio::io_context io;
    Child(io.get_executor(), shell("sleep 1000"), {}, {});
    CHECK_THROWS_AS(Child(io.get_executor(), {"x", {"/nowhere/x"}, {}}, {}, {}), Error);
  }
  CHECK(test::count_descriptors() == before);
  CHECK(has_no_children());
}

TEST_CASE("many children at once keep their own output and status") {
  boost::asio::io_context io;
  std::vector<std::unique_ptr<Child>> children;
  std::vector<std::string> results(40);
  Lines expected;
  for (int i = 0; i < 40; ++i) {
    expected.push_back(fmt::format("exit status {} after {}", i, i * i));
    children.push_back(std::make_unique<Child>(
        io.get_executor(), shell(fmt::format("echo {}; exit {}", i * i, i)), Child::OnLine{},
        [&results, i](const ChildExit& exit) {
          results[i] = fmt::format("{} after {}", describe(exit), exit.last_lines.back());
        }));
  }
  io.run();
  CHECK(results == expected);
}

}  // namespace
}  // namespace vmr
