// SPDX-License-Identifier: MIT
// The whole launcher as a service of systemd, with fake programs.
#include "base/unique_fd.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <vector>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

constexpr const char* alive = "WATCHDOG=1\n";

/// What systemd would listen at.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const timeval patience{20, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
  }

  /// The next message; empty when none comes.
  [[nodiscard]] std::string next() const {
    std::array<char, 4096> bytes{};
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    return size < 0 ? std::string() : std::string(bytes.data(), static_cast<std::size_t>(size));
  }

  /// The messages up to the first that contains `words`.
  [[nodiscard]] Lines read_to(const std::string& words) const {
    Lines messages;
    do {
      messages.push_back(next());
    } while (!messages.back().empty() && messages.back().find(words) == std::string::npos);
    return messages;
  }

 private:
  vmr::UniqueFd socket_;
};

}  // namespace

TEST_CASE("service: systemd hears each phase, and that we live as long as QEMU answers") {
  const FakeHost host;
  const ServiceManager systemd(host / "notify");
  Launcher launcher(host.settings({{"NOTIFY_SOCKET", host / "notify"},
                                   {"WATCHDOG_USEC", "40000"},
                                   {"STOP_TIMEOUT", "2"},
                                   {"FAKE_QEMU", "report"},
                                   {"FAKE_REPORT", "done\n"}}));
  auto messages = systemd.read_to("READY=1\n");
  CHECK(messages.back() == "READY=1\nSTATUS=running (tcg)\n");
  std::erase(messages, alive);
  CHECK(messages.front() == "STATUS=starting (tcg)\n");
  for (int i = 0; i < 3; ++i) CHECK(systemd.next() == alive);

  ::kill(launcher.child_pid("qemu-system-x86_64"), SIGSTOP);
  launcher.signal(SIGTERM);
  CHECK(systemd.read_to("STOPPING=1\n").back() == "STOPPING=1\nSTATUS=stopping (tcg)\n");
  const auto last = systemd.read_to("STATUS=stopped (tcg)\n");
  // Of the two seconds in which QEMU does not answer.
  CHECK(std::count(last.begin(), last.end(), alive) <= 1);
  CHECK(host.finish(launcher).status == 5);
}
