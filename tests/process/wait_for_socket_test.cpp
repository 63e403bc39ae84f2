// SPDX-License-Identifier: MIT
// When which side does its next step cannot be told from outside, so most of these go through many
// rounds in which the sides meet at other moments.
#include "run/wait_for_socket.hpp"

#include "base/error.hpp"
#include "run/runtime_folder.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::TemporaryFolder;

constexpr int rounds = 60;
/// A wake-up that is lost shows as a connection that is not there.
constexpr auto patience = 20s;

/// Waits for a moment that differs from round to round.
void step_back(int round) {
  for (int i = 0; i < round % 60; ++i) ::sched_yield();
}

/// Whether what is sent over `ours` arrives at the next connection that `listener` accepts.
bool leads_to(const UniqueFd& listener, const UniqueFd& ours) {
  const UniqueFd theirs(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char byte = 0;
  return ::write(ours.get(), "x", 1) == 1 && ::read(theirs.get(), &byte, 1) == 1 && byte == 'x';
}

/// Waits for the socket at `path` while `make` comes to its listener; whether that was found.
bool finds(const std::string& path, int round, const std::function<UniqueFd()>& make) {
  auto maker = std::async(std::launch::async, [&] {
    step_back(round);
    return make();
  });
  const auto ours = wait_for_socket(path, patience);
  const auto listener = maker.get();
  return ours && leads_to(listener, ours);
}

/// Leaves at `path` what a killed launcher leaves there.
void leave_stale_socket(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  const auto killed = listen_at(path);
}

std::string failure_of(const std::string& path) {
  try {
    wait_for_socket(path, patience);
    return "no failure";
  } catch (const Error& error) {
    return format(error);
  }
}

/// A socket at `path` whose queue is full, with what waits in it.
struct BusySocket {
  explicit BusySocket(const std::string& path) : listener(listen_at(path)) {
    while (auto connection = try_connect(path)) waiting.push_back(std::move(connection));
  }

  static UniqueFd try_connect(const std::string& path) {
    try {
      return connect_to(path);
    } catch (const Error&) {
      return {};
    }
  }

  UniqueFd listener;
  std::vector<UniqueFd> waiting;
};

TEST_CASE("wait for socket: one that is there is found at once, even without time") {
  const TemporaryFolder folder;
  const auto path = folder / "a b, $(x) é.sock";
  const auto listener = listen_at(path);
  const int before = test::count_descriptors();
  for (const auto timeout : {0ms, 1ms, 10000ms}) {
    const auto ours = wait_for_socket(path, timeout);
    REQUIRE(ours);
    CHECK(test::count_descriptors() == before + 1);
    CHECK((::fcntl(ours.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(ours.get(), F_GETFL) & O_NONBLOCK) == 0);
    timeval limit{};
    socklen_t size = sizeof limit;
    CHECK(::getsockopt(ours.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, &size) == 0);
    CHECK(limit.tv_sec + limit.tv_usec == 0);
    CHECK(leads_to(listener, ours));
  }
  CHECK(test::count_descriptors() == before);
}

TEST_CASE("wait for socket: its folders are made one after another") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    const auto path = folder / "a/b/c/socket";
    REQUIRE(finds(path, round, [&] {
      for (const auto* name : {"a", "a/b", "a/b/c"}) {
        fs::create_directory(folder / name);
        step_back(round / 2);
      }
      return listen_at(path);
    }));
  }
}

TEST_CASE("wait for socket: it is made while its many folders are gone through") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    std::string path = folder.path();
    while (path.size() < 95) path += "/x";
    fs::create_directories(path);
    path += "/socket";
    REQUIRE(finds(path, round, [&] { return listen_at(path); }));
  }
}

TEST_CASE("wait for socket: its folders are moved into place") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    fs::create_directories(folder / "elsewhere/b");
    const auto listener = listen_at(folder / "elsewhere/b/socket");
    REQUIRE(finds(folder / "a/b/socket", round, [&] {
      fs::rename(folder / "elsewhere", folder / "a");
      return UniqueFd(::dup(listener.get()));
    }));
  }
}

TEST_CASE("wait for socket: one that refuses connections is replaced") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    const auto path = folder / "vm/socket";
    leave_stale_socket(path);
    REQUIRE(finds(path, round, [&] {
      fs::remove(path);
      return listen_at(path);
    }));
  }
}

TEST_CASE("wait for socket: a plain file, also on the way, is replaced") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    test::write_text(folder / "vm", "");
    const auto path = folder / "vm/socket";
    REQUIRE(finds(path, round, [&] {
      fs::remove(folder / "vm");
      fs::create_directory(folder / "vm");
      test::write_text(path, "");
      auto listener = listen_at(folder / "vm/new");
      fs::rename(folder / "vm/new", path);
      return listener;
    }));
  }
}

TEST_CASE("wait for socket: its folders are removed and made anew while somebody is in them") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    const auto path = folder / "vm-runner/vm/socket";
    leave_stale_socket(path);
    const UniqueFd held(::open((folder / "vm-runner/vm").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(finds(path, round, [&] {
      fs::remove_all(folder / "vm-runner");
      fs::create_directories(folder / "vm-runner/vm");
      return listen_at(path);
    }));
  }
}

TEST_CASE("wait for socket: launchers come and go") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    const auto path = folder / "vm-runner/vm/socket";
    std::optional<RuntimeFolder> last;
    REQUIRE(finds(path, round, [&] {
      { const RuntimeFolder other(folder / "vm-runner/other", "other"); }
      { const RuntimeFolder first(folder / "vm-runner/vm", "vm"); }
      last.emplace(folder / "vm-runner/vm", "vm");
      return listen_at(path);
    }));
  }
}

TEST_CASE("wait for socket: a launcher that has much to do is waited for") {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    const auto path = folder / "socket";
    BusySocket busy(path);
    const auto last = busy.waiting.size();
    REQUIRE(finds(path, round, [&] {
      for (std::size_t i = 0; i < last; ++i) {
        const UniqueFd served(::accept4(busy.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      }
      return UniqueFd(::dup(busy.listener.get()));
    }));
  }
}

TEST_CASE("wait for socket: not longer than the time given") {
  const TemporaryFolder folder;
  leave_stale_socket(folder / "stale");
  const BusySocket busy(folder / "busy");
  test::write_text(folder / "file", "");
  const int before = test::count_descriptors();
  for (const auto* name : {"socket", "a/b/c/socket", "stale", "busy", "file", "file/socket"}) {
    CAPTURE(name);
    const auto start = steady_clock::now();
    CHECK_FALSE(wait_for_socket(folder / name, 50ms));
    CHECK(steady_clock::now() - start >= 50ms);
    CHECK(steady_clock::now() - start < 10s);
  }
  CHECK(test::count_descriptors() == before);
}

TEST_CASE("wait for socket: what else happens in the folder does not prolong it") {
  const TemporaryFolder folder;
  const auto other = folder / "other";
  test::write_text(other, "");
  std::atomic<bool> over = false;
  auto noise = std::async(std::launch::async, [&] {
    while (!over) ::utimensat(AT_FDCWD, other.c_str(), nullptr, 0);
  });
  const auto start = steady_clock::now();
  CHECK_FALSE(wait_for_socket(folder / "socket", 100ms));
  CHECK(steady_clock::now() - start < 10s);
  over = true;
}

TEST_CASE("wait for socket: what no waiting helps is an error") {
  const TemporaryFolder folder;
  const auto path = folder / "socket";
  const UniqueFd other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  REQUIRE(::bind(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(failure_of(path) == fmt::format("error: cannot wait for the socket {}\n"
                                        "  cause: Protocol wrong type for socket\n",
                                        path));
  const auto endless = folder / "endless";
  fs::create_symlink(endless, endless);
  CHECK(failure_of(endless + "/socket") ==
        fmt::format("error: cannot wait for the socket {}/socket\n"
                    "  cause: Too many levels of symbolic links\n",
                    endless));
  const auto longest = folder / std::string(200, 'x');
  CHECK(failure_of(longest) == fmt::format("error: the path of a socket has {} bytes: {}\n"
                                           "  cause: a socket's path has at most 107 bytes\n"
                                           "  hint:  use a shorter runtime folder or GUEST_NAME\n",
                                           longest.size(), longest));
}

}  // namespace
}  // namespace vmr
