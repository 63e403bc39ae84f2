// SPDX-License-Identifier: MIT
// What systemd would hear, at a real socket.
#include "run/notify.hpp"

#include "base/log.hpp"
#include "run/service_state.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

using namespace std::chrono_literals;
using Messages = std::vector<std::string>;
using Values = std::map<std::string, std::string>;
using test::Pipe;
using test::TemporaryFolder;

/// Variables of the environment, for as long as this exists.
class Variables {
 public:
  explicit Variables(Values values) : values_(std::move(values)) {
    for (const auto& [name, value] : values_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& [name, value] : values_) ::unsetenv(name.c_str());
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  Values values_;
};

/// Where systemd listens: a path, or "@" and a name.
class Receiver {
 public:
  explicit Receiver(const std::string& name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    address_.sun_family = AF_UNIX;
    name.copy(address_.sun_path, name.size());
    if (name.starts_with('@')) address_.sun_path[0] = '\0';
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_.get(), generic(), size_) == 0);
  }

  /// The messages that are there.
  [[nodiscard]] Messages receive() const {
    Messages messages;
    std::array<char, 8192> bytes{};
    for (ssize_t size = 0; size >= 0;) {
      size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (size >= 0) messages.emplace_back(bytes.data(), static_cast<std::size_t>(size));
    }
    return messages;
  }

  /// Sends until nothing fits any more.
  void fill() const {
    const UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    while (::sendto(sender.get(), "x", 1, 0, generic(), size_) == 1) {
    }
    REQUIRE(errno == EAGAIN);
  }

 private:
  [[nodiscard]] const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }

  UniqueFd socket_;
  sockaddr_un address_{};
  socklen_t size_ = 0;
};

/// What `say` makes the notifier send to a socket.
Messages messages_of(const std::function<void(Notifier&)>& say) {
  const TemporaryFolder folder;
  const auto path = folder / "notify";
  const Receiver systemd(path);
  const Variables variables(Values{{"NOTIFY_SOCKET", path}});
  Notifier notifier;
  say(notifier);
  return systemd.receive();
}

void say_everything(Notifier& notifier) {
  notifier.status("Booting");
  notifier.ready("Running");
  notifier.watchdog();
  notifier.stopping("Stopping (SIGTERM)");
}

const Messages everything = {"STATUS=Booting\n", "READY=1\nSTATUS=Running\n", "WATCHDOG=1\n",
                             "STOPPING=1\nSTATUS=Stopping (SIGTERM)\n"};

/// The interval under these variables, with a socket to send to.
std::optional<std::chrono::milliseconds> interval_under(Values values) {
  values.try_emplace("NOTIFY_SOCKET", "/nowhere/notify");
  const Variables variables(std::move(values));
  return Notifier().watchdog_interval();
}

/// What is logged, with debug messages, while `action` runs.
std::string debug_log_of(const std::function<void()>& action) {
  Pipe pipe;
  const UniqueFd before(::dup(STDERR_FILENO));
  ::dup2(pipe.writing.get(), STDERR_FILENO);
  set_log_level(LogLevel::debug);
  action();
  set_log_level(LogLevel::info);
  ::dup2(before.get(), STDERR_FILENO);
  pipe.writing.reset();
  return test::read_all(pipe.reading);
}

TEST_CASE("notify: each call is one message") {
  CHECK(messages_of(say_everything) == everything);
}

TEST_CASE("notify: an abstract socket and names of the greatest length") {
  const TemporaryFolder folder;
  const auto fill_up = [](std::string name) {
    return name + std::string(sizeof(sockaddr_un::sun_path) - name.size(), 'n');
  };
  for (const auto& name :
       {"@" + folder.path(), fill_up("@" + folder.path()), fill_up(folder / "notify")}) {
    CAPTURE(name);
    const Receiver systemd(name);
    const Variables variables(Values{{"NOTIFY_SOCKET", name}});
    Notifier notifier;
    say_everything(notifier);
    CHECK(systemd.receive() == everything);
  }
}

TEST_CASE("notify: no text can say more than its status") {
  CHECK(messages_of([](Notifier& notifier) {
          notifier.status("a\nREADY=1\r\nSTOPPING=1\tb");
          notifier.status("");
          notifier.ready(std::string_view("a\0b\x1b[1m", 7));
          notifier.stopping("100 % $(x) \"é\" \xff\xc3");
        }) == Messages{"STATUS=a\\nREADY=1\\x0d\\nSTOPPING=1\\tb\n", "STATUS=\n",
                       "READY=1\nSTATUS=a\\x00b\\x1b[1m\n",
                       "STOPPING=1\nSTATUS=100 % $(x) \"é\" \uFFFD\uFFFD\n"});
}

TEST_CASE("notify: a long text is cut between two characters") {
  CHECK(messages_of([](Notifier& notifier) {
          notifier.status(std::string(1000, 'a'));
          notifier.status(std::string(1001, 'a'));
          notifier.status(std::string(999, 'a') + "éé");
          notifier.status(std::string(1'000'000, '\n'));
        }) == Messages{"STATUS=" + std::string(1000, 'a') + "\n",
                       "STATUS=" + std::string(1000, 'a') + "…\n",
                       "STATUS=" + std::string(999, 'a') + "…\n", [] {
                         std::string status = "STATUS=";
                         for (int i = 0; i < 500; ++i) status += "\\n";
                         return status + "…\n";
                       }()});
}

TEST_CASE("notify: without a socket nothing is said and nobody is watched") {
  const Variables variables(Values{{"WATCHDOG_USEC", "1000000"}});
  const int before = test::count_descriptors();
  Notifier notifier;
  CHECK(debug_log_of([&] { say_everything(notifier); }).empty());
  CHECK(test::count_descriptors() == before);
  CHECK(notifier.watchdog_interval() == std::nullopt);
}

TEST_CASE("notify: what is no address of a socket is told in the debug log alone") {
  for (const auto& name : std::vector<std::string>{
           "relative/path", "vsock:2:1", "-", std::string(1, '\n'), "/" + std::string(108, 'a')}) {
    const Variables variables(Values{{"NOTIFY_SOCKET", name}, {"WATCHDOG_USEC", "1000000"}});
    CHECK(debug_log_of([] {
            Notifier notifier;
            say_everything(notifier);
            CHECK(notifier.watchdog_interval() == std::nullopt);
          }) == fmt::format("[DEBUG] NOTIFY_SOCKET='{}' is no address of a socket: systemd is told "
                            "nothing\n",
                            name == "\n" ? "\\n" : name));
  }
}

TEST_CASE("notify: a socket that is not there yet hears what it missed") {
  const TemporaryFolder folder;
  const auto path = folder / "notify";
  const Variables variables(Values{{"NOTIFY_SOCKET", path}});
  Notifier notifier;
  CHECK(debug_log_of([&] {
          notifier.ready("Running");
          notifier.status("Still running");
        }) ==
        "[DEBUG] systemd was not told 'READY=1\\nSTATUS=Running\\n': No such file or directory\n"
        "[DEBUG] systemd was not told 'READY=1\\nSTATUS=Still running\\n': No such file or "
        "directory\n");
  const Receiver systemd(path);
  notifier.watchdog();
  notifier.watchdog();
  CHECK(systemd.receive() ==
        Messages{"READY=1\nSTATUS=Still running\nWATCHDOG=1\n", "WATCHDOG=1\n"});
}

TEST_CASE("notify: nobody reads and nobody waits") {
  const TemporaryFolder folder;
  const auto path = folder / "notify";
  const Receiver systemd(path);
  systemd.fill();
  const Variables variables(Values{{"NOTIFY_SOCKET", path}});
  Notifier notifier;
  for (int i = 0; i < 10'000; ++i) say_everything(notifier);
  CHECK(debug_log_of([&] {
          notifier.watchdog();
        }).ends_with("WATCHDOG=1\\n': Resource temporarily unavailable\n"));
  for (const auto& message : systemd.receive()) CHECK(message == "x");
  notifier.status("Stopped");
  CHECK(systemd.receive() == Messages{"READY=1\nSTOPPING=1\nSTATUS=Stopped\n"});
}

TEST_CASE("notify: a systemd that has gone is no reason to end") {
  const TemporaryFolder folder;
  const auto path = folder / "notify";
  const Variables variables(Values{{"NOTIFY_SOCKET", path}});
  Notifier notifier;
  { const Receiver systemd(path); }
  CHECK(debug_log_of([&] { notifier.status("Running"); }) ==
        "[DEBUG] systemd was not told 'STATUS=Running\\n': Connection refused\n");
}

TEST_CASE("notify: the watchdog is fed in half its time when it is for us") {
  const auto own = std::to_string(::getpid());
  CHECK(interval_under({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", own}}) == 15s);
  CHECK(interval_under({{"WATCHDOG_USEC", "30000000"}}) == 15s);
  CHECK(interval_under({{"WATCHDOG_USEC", "3999"}}) == 1ms);
  CHECK(interval_under({{"WATCHDOG_USEC", "1"}}) == 1ms);
  CHECK(interval_under({{"WATCHDOG_USEC", "18446744073709551615"}}) == 1h);
  CHECK(interval_under({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", "1"}}) == std::nullopt);
  CHECK(interval_under({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", "x"}}) == std::nullopt);
  CHECK(interval_under({{"WATCHDOG_PID", own}}) == std::nullopt);
  for (const std::string wrong : {"0", "-1", "1 s", "18446744073709551616", "x\n"}) {
    CHECK(interval_under({{"WATCHDOG_USEC", wrong}}) == std::nullopt);
  }
}

/// A launcher whose QEMU answers as a test says, in the middle of which `act` is called.
class Watched {
 public:
  explicit Watched(std::function<void(std::function<void()> well)> ask)
      : systemd_(folder_ / "notify"),
        variables_(Values{{"NOTIFY_SOCKET", folder_ / "notify"}, {"WATCHDOG_USEC", "2000"}}),
        state_(context_.get_executor(), [this, ask = std::move(ask)](const auto& well) {
          ++asked_;
          ask(well);
        }) {
    state_.watch();
  }

  /// Goes on until it has been asked `count` times, or for ten seconds; the pings until then.
  std::size_t pings_until_asked(int count) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (asked_ < count && std::chrono::steady_clock::now() < end) context_.run_one_for(1s);
    CHECK(asked_ >= count);
    return systemd_.receive().size();
  }
  /// The same for `count` turns of the clock.
  std::size_t pings_in_turns(int count) {
    for (int i = 0; i < count; ++i) context_.run_one_for(1s);
    return systemd_.receive().size();
  }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  TemporaryFolder folder_;
  Receiver systemd_;
  Variables variables_;
  boost::asio::io_context context_{1};
  int asked_ = 0;
  ServiceState state_;
};

TEST_CASE("notify: the watchdog hears of each good answer, and goes on to ask after a bad one") {
  bool is_well = false;
  Watched launcher([&](const auto& well) {
    if (is_well) well();
  });
  CHECK(launcher.pings_until_asked(5) == 0);
  is_well = true;
  const auto before = launcher.asked();
  CHECK(launcher.pings_until_asked(before + 5) == 5);
  is_well = false;
  CHECK(launcher.pings_until_asked(before + 10) == 0);
}

TEST_CASE("notify: a QEMU that hangs is asked once and hears of it when it answers") {
  std::vector<std::function<void()>> open;
  Watched launcher([&](const auto& well) { open.push_back(well); });
  CHECK(launcher.pings_in_turns(5) == 0);
  CHECK(launcher.asked() == 1);
  open.front()();
  open.clear();
  CHECK(launcher.pings_until_asked(2) == 1);
  // One that is given up, with the QEMU that was asked, is asked again.
  open.clear();
  CHECK(launcher.pings_until_asked(3) == 0);
}

}  // namespace
}  // namespace vmr
