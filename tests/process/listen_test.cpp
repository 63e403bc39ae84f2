// SPDX-License-Identifier: MIT
#include "run/listen.hpp"

#include "base/error.hpp"
#include "run/runtime_folder.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr {
namespace {

using test::Pipe;
using test::TemporaryFolder;

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
    return "no failure";
  } catch (const Error& error) {
    return format(error);
  }
}

bool is_close_on_exec(const UniqueFd& fd) {
  return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
}
bool is_non_blocking(const UniqueFd& fd) {
  return (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0;
}

/// What happens to `name` in a folder while `action` runs.
std::vector<std::uint32_t> events_in(const std::string& folder, const std::string& name,
                                     const std::function<void()>& action) {
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  REQUIRE(::inotify_add_watch(watch.get(), folder.c_str(), IN_CREATE | IN_ATTRIB) >= 0);
  action();
  std::vector<std::uint32_t> events;
  alignas(inotify_event) std::array<char, 4096> bytes{};
  const auto size = ::read(watch.get(), bytes.data(), bytes.size());
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(&bytes.at(at));
    CHECK(event->name == name);
    events.push_back(event->mask);
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
  return events;
}

TEST_CASE("a socket that listens is private and can be connected to") {
  TemporaryFolder folder;
  const auto path = folder / "a b, $(x) é.sock";
  const mode_t before = ::umask(0);
  const auto listener = listen_at(path);
  ::umask(before);
  struct stat facts {};
  CHECK(::lstat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777U) == 0600);
  CHECK(S_ISSOCK(facts.st_mode));
  CHECK(is_close_on_exec(listener));

  const auto ours = connect_to(path);
  CHECK(is_close_on_exec(ours));
  CHECK(is_non_blocking(ours));
  const UniqueFd theirs(::accept(listener.get(), nullptr, nullptr));
  CHECK(::write(ours.get(), "x", 1) == 1);
  char byte = 0;
  CHECK(::read(theirs.get(), &byte, 1) == 1);
  CHECK(byte == 'x');
}

TEST_CASE("who watches the folder of a socket sees when it takes connections") {
  const TemporaryFolder folder;
  UniqueFd listener;
  CHECK(events_in(folder.path(), "socket", [&] { listener = listen_at(folder / "socket"); }) ==
        std::vector<std::uint32_t>{IN_CREATE, IN_ATTRIB});
}

TEST_CASE("a path of 107 bytes fits and a longer one is refused") {
  TemporaryFolder folder;
  const auto longest = folder.path() + "/" + std::string(106 - folder.path().size(), 'x');
  CHECK(longest.size() == 107);
  const auto listener = listen_at(longest);
  const auto connection = connect_to(longest);
  const auto too_long = longest + "x";
  const auto expected = fmt::format(
      "error: the path of a socket has 108 bytes: {}\n"
      "  cause: a socket's path has at most 107 bytes\n"
      "  hint:  use a shorter runtime folder or GUEST_NAME\n",
      too_long);
  CHECK(failure_of([&] { listen_at(too_long); }) == expected);
  CHECK(failure_of([&] { connect_to(too_long); }) == expected);
}

TEST_CASE("sockets that cannot be are named with the reason") {
  TemporaryFolder folder;
  const auto path = folder / "s";
  CHECK(failure_of([&] { connect_to(path); }) ==
        fmt::format("error: cannot connect to the socket {}\n"
                    "  cause: No such file or directory\n",
                    path));
  { const auto listener = listen_at(path); }
  CHECK(failure_of([&] { connect_to(path); }) ==
        fmt::format("error: cannot connect to the socket {}\n  cause: Connection refused\n", path));
  CHECK(failure_of([&] { listen_at(path); }) ==
        fmt::format("error: cannot listen at the socket {}\n  cause: Address already in use\n",
                    path));
}

TEST_CASE("a command finds its listening sockets at their numbers") {
  TemporaryFolder folder;
  Pipe output;
  // The numbers are those that the sockets get when they are made, the other way round.
  const int first = UniqueFd(::dup(0)).get();
  const std::vector<std::pair<int, std::string>> sockets = {
      {first + 1, folder / "a"}, {first, folder / "b"}, {200, folder / "c"}};
  const pid_t pid = test::fork_and_run([&]() -> int {
    ::dup2(output.writing.get(), STDOUT_FILENO);
    const std::string script = fmt::format(
        "for n in {} {} 200; do i=$(readlink /proc/$$/fd/$n | tr -dc 0-9); "
        "awk -v i=\"$i\" '$7 == i {{ print $4, $8 }}' /proc/net/unix; done; readlink "
        "/proc/$$/fd/201",
        first + 1, first);
    become_with_sockets(sockets, {}, {"sh", "-c", script});
  });
  output.writing.reset();
  // 00010000 is the flag of a socket that listens.
  CHECK(test::read_all(output.reading) ==
        fmt::format("00010000 {0}/a\n00010000 {0}/b\n00010000 {0}/c\n", folder.path()));
  CHECK(test::wait_for(pid) == 1);
}

TEST_CASE("a command finds a connection to who listens") {
  TemporaryFolder folder;
  Pipe output;
  const auto listener = listen_at(folder / "a, b");
  const pid_t pid = test::fork_and_run([&]() -> int {
    ::dup2(output.writing.get(), STDOUT_FILENO);
    become_with_sockets({}, {{9, folder / "a, b"}}, {"sh", "-c", "echo hello >&9"});
  });
  const UniqueFd served(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(test::read_all(served) == "hello\n");
  CHECK(test::wait_for(pid) == 0);
}

TEST_CASE("a command without who listens is not started") {
  TemporaryFolder folder;
  const auto path = folder / "none";
  CHECK(failure_of([&] {
          become_with_sockets({{71, folder / "b"}}, {{70, path}}, {"true"});
        }) == fmt::format("error: cannot connect to the socket {}\n"
                          "  cause: No such file or directory\n",
                          path));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a command that does not exist leaves no socket behind") {
  TemporaryFolder folder;
  const auto failure = failure_of([&] {
    become_with_sockets({{70, folder / "a"}, {71, folder / "b"}}, {}, {"no-such-command"});
  });
  CHECK(failure == "error: cannot start no-such-command\n  cause: No such file or directory\n");
  CHECK(std::filesystem::is_empty(folder.path()));
  ::close(70);
  ::close(71);
}

TEST_CASE("a socket that cannot be bound takes the others along") {
  TemporaryFolder folder;
  const auto failure = failure_of([&] {
    become_with_sockets({{70, folder / "a"}, {71, folder / "no/b"}}, {}, {"true"});
  });
  CHECK(failure == fmt::format("error: cannot listen at the socket {}/no/b\n"
                               "  cause: No such file or directory\n",
                               folder.path()));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("no command is an error of usage") {
  CHECK(failure_of([] { become_with_sockets({}, {}, {}); }) == "error: no command is given\n");
}

}  // namespace
}  // namespace vmr
