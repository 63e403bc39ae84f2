// SPDX-License-Identifier: MIT
// Plays QEMU: takes its listening sockets, connects to the virtiofsds and answers QMP.
//
//   FAKE_QEMU=
//     exit-at-once       exits 1 with a line on standard error
//     abort              dies of SIGABRT before it serves
//     abort-kvm          with the kvm accelerator: dies of SIGABRT between greeting and answer
//     slow               greets after the gate, or without one after 300 ms
//     flood              1 MB on standard error
//     ignore-powerdown, ignore-quit, ignore-term
//     echo-console       says "console: hello" on the console and sends back what it hears
//     report             says FAKE_REPORT (default: "1 ok /mnt/share", "done") on the report port
//     last-words         ends with the console lines "1" to "20000" and "the end"
//   and, once the client has read the answer to qmp_capabilities; each passes the gate:
//     crash-after-start  dies of SIGSEGV
//     poweroff           the guest powers itself off
//     panic              the guest panics
//     internal-error     the machine stops for good
//
// `-qmp stdio` is served too, but not logged: so does the launcher try KVM.
#include "fake.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <map>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <utility>

namespace {

using namespace fake;

constexpr auto version =
    "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n"
    "Copyright (c) 2003-2022 Fabrice Bellard and the QEMU Project developers\n";
constexpr auto greeting =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, )"
    R"("package": "Debian 1:7.2+dfsg-7+deb12u18"}, "capabilities": ["oob"]}})";
constexpr auto kvm_assertion =
    "qemu-system-x86_64: error: failed to set MSR 0x48f to 0x7fefff00036dfb\n"
    "qemu-system-x86_64: ../../target/i386/kvm/kvm.c:2893: kvm_buf_set_msrs: Assertion "
    "`ret == cpu->kvm_msr_buf->nmsrs' failed.\n";

/// "socket,id=qmp,fd=3" as key → value; the first word has the key "". A doubled comma is one.
std::map<std::string, std::string> parse_option(const std::string& text) {
  std::map<std::string, std::string> values;
  std::string word;
  const auto end_word = [&] {
    const auto equals = word.find('=');
    if (equals == word.npos) {
      values[values.empty() ? "" : word] = word;
    } else {
      values[word.substr(0, equals)] = word.substr(equals + 1);
    }
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' && text.substr(i, 2) != ",,") {
      end_word();
    } else {
      if (text[i] == ',') ++i;
      word += text[i];
    }
  }
  end_word();
  return values;
}

bool uses_kvm(const Arguments& argv) {
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i] == "-enable-kvm" || argv[i].find("accel=kvm") != std::string::npos) return true;
    if (argv[i - 1] == "-accel" && argv[i].substr(0, argv[i].find(',')) == "kvm") return true;
  }
  return false;
}

/// The value of "key" in one QMP message, as it is written there; empty when it is not there.
std::string json_value(const std::string& message, const std::string& key) {
  auto at = message.find('"' + key + '"');
  if (at == message.npos) return "";
  at = message.find_first_not_of(" \t:", at + key.size() + 2);
  return message.substr(at, message.find_first_of(",} \t\r\n", at) - at);
}

void send_text(int fd, const std::string& text) {
  [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

/// One chardev: where it listens, and its client.
struct Port {
  int listener = -1;
  int client = -1;

  [[nodiscard]] int readable() const { return client >= 0 ? client : listener; }
};

class FakeQemu {
 public:
  explicit FakeQemu(Arguments argv) : argv_(std::move(argv)) {}

  int run() {
    if (has("ignore-term")) std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    if (has("flood")) flood("qemu-system-x86_64");
    if (has("exit-at-once")) {
      std::fputs("qemu-system-x86_64: -fake: exits at once\n", stderr);
      return 1;
    }
    if (has("abort")) {
      std::fputs(kvm_assertion, stderr);
      die_by(SIGABRT);
    }
    if (!open_chardevs()) return 1;
    if (!has("ignore-term")) signals_ = watch_sigterm();
    while (!exit_status_) serve_once();
    return *exit_status_;
  }

  int run_on_standard_streams() {
    qmp_out_ = STDOUT_FILENO;
    greet();
    ports_["qmp"] = {.listener = -1, .client = STDIN_FILENO};
    while (!exit_status_) {
      hear("qmp", ports_["qmp"]);
      if (ports_["qmp"].client < 0) return 0;
    }
    return *exit_status_;
  }

 private:
  [[nodiscard]] bool has(const std::string& behaviour) const {
    return behaviours_.count(behaviour) != 0;
  }

  static int watch_sigterm() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC);
  }

  bool open_chardevs() {
    for (std::size_t i = 1; i + 1 < argv_.size(); ++i) {
      if (argv_[i] != "-chardev") continue;
      auto option = parse_option(argv_[i + 1]);
      if (option.count("fd") != 0) {
        ports_[option["id"]].listener = std::atoi(option["fd"].c_str());
      } else if (!connect_to(option["path"])) {
        std::fprintf(stderr, "qemu-system-x86_64: -chardev %s: Failed to connect to '%s': %s\n",
                     argv_[i + 1].c_str(), option["path"].c_str(), std::strerror(errno));
        return false;
      }
    }
    return true;
  }

  /// Stays connected until this process ends. Like QEMU it needs an answer before it goes on.
  static bool connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer = 0;
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
           ::read(fd, &answer, 1) == 1;
  }

  void serve_once() {
    std::vector<pollfd> waiting = {{.fd = signals_, .events = POLLIN, .revents = 0}};
    for (const auto& [id, port] : ports_) waiting.push_back({port.readable(), POLLIN, 0});
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) end_by_sigterm();
    std::size_t i = 1;
    for (auto& [id, port] : ports_) {
      if (waiting[i++].revents == 0 || exit_status_) continue;
      if (port.client >= 0) {
        hear(id, port);
      } else {
        port.client = ::accept4(port.listener, nullptr, nullptr, SOCK_CLOEXEC);
        meet(id, port.client);
      }
    }
  }

  void meet(const std::string& id, int client) {
    if (id == "qmp") {
      qmp_out_ = client;
      if (has("slow") && !pass_gate("qemu")) ::usleep(300'000);
      greet();
    } else if (id == "console" && has("echo-console")) {
      send_text(client, "console: hello\n");
    } else if (id == "reports" && has("report")) {
      const auto report = environment("FAKE_REPORT");
      send_text(client, report.empty() ? "1 ok /mnt/share\ndone\n" : report);
    }
  }

  void greet() {
    negotiated_ = false;
    unread_.clear();
    say(greeting);
    if (has("abort-kvm") && uses_kvm(argv_)) {
      std::fputs(kvm_assertion, stderr);
      die_by(SIGABRT);
    }
  }

  void hear(const std::string& id, Port& port) {
    std::array<char, 4096> bytes{};
    const auto size = ::read(port.client, bytes.data(), bytes.size());
    if (size <= 0) {
      ::close(std::exchange(port.client, -1));
      return;
    }
    const std::string text(bytes.data(), static_cast<std::size_t>(size));
    if (id == "console" && has("echo-console")) send_text(port.client, "console: " + text);
    if (id == "qmp") take_qmp(text);
  }

  /// Messages need no newline between them: each ends with its closing brace.
  void take_qmp(const std::string& text) {
    for (const char c : text) {
      unread_ += c;
      if (c == '}' && std::count(unread_.begin(), unread_.end(), '{') ==
                          std::count(unread_.begin(), unread_.end(), '}')) {
        answer(std::exchange(unread_, {}));
      }
      if (exit_status_) return;
    }
  }

  void answer(const std::string& message) {
    const auto command = json_value(message, "execute");
    const auto id = json_value(message, "id");
    const auto tail = (id.empty() ? "" : ", \"id\": " + id) + "}";
    const auto refuse = [&](const std::string& why) {
      say(R"({"error": {"class": "CommandNotFound", "desc": ")" + why + "\"}" + tail);
    };
    if (!negotiated_ && command != "\"qmp_capabilities\"") {
      refuse("Expecting capabilities negotiation with 'qmp_capabilities'");
    } else if (command == "\"query-status\"") {
      say(R"({"return": {"status": ")" + status_ + R"(", "singlestep": false, "running": )" +
          (status_ == "running" ? "true}" : "false}") + tail);
    } else if (known_commands_.count(command) != 0) {
      say("{\"return\": {}" + tail);
      execute(command);
    } else {
      refuse("The command " + command.substr(1, command.size() - 2) + " has not been found");
    }
  }

  void execute(const std::string& command) {
    if (command == "\"qmp_capabilities\"") {
      negotiated_ = true;
      if (qmp_out_ != STDOUT_FILENO) start_guest();
    } else if (command == "\"system_powerdown\"") {
      tell("POWERDOWN");
      if (!has("ignore-powerdown") && status_ == "running") shut_down(true, "guest-shutdown");
    } else if (command == "\"quit\"") {
      if (!has("ignore-quit")) shut_down(false, "host-qmp-quit");
    } else if (command == "\"system_reset\"") {
      tell("RESET", R"({"guest": false, "reason": "host-qmp-system-reset"})");
    }
  }

  /// What the guest does by itself, once the client knows that it runs.
  void start_guest() {
    const bool acts =
        has("crash-after-start") || has("poweroff") || has("panic") || has("internal-error");
    if (!acts) return;
    for (int unread = 1; ::ioctl(qmp_out_, SIOCOUTQ, &unread) == 0 && unread > 0;) ::usleep(1000);
    pass_gate("qemu");
    if (has("crash-after-start")) die_by(SIGSEGV);
    if (has("poweroff")) shut_down(true, "guest-shutdown");
    if (has("panic")) {
      tell("GUEST_PANICKED", R"({"action": "poweroff"})");
      tell("STOP");
      shut_down(true, "guest-panic");
    }
    if (has("internal-error")) {
      status_ = "internal-error";
      tell("STOP");
    }
  }

  void end_by_sigterm() {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof(info)) != sizeof(info)) return;
    std::fprintf(stderr, "qemu-system-x86_64: terminating on signal 15 from pid %u\n",
                 info.ssi_pid);
    shut_down(false, "host-signal");
  }

  /// Waits for a slow reader, as QEMU's own console does.
  void say_last_words() {
    std::string words;
    for (int i = 1; i <= 20000; ++i) words += std::to_string(i) + "\n";
    send_text(ports_["console"].client, words + "the end\n");
  }

  void shut_down(bool by_guest, const std::string& reason) {
    if (has("last-words")) say_last_words();
    tell("SHUTDOWN", std::string("{\"guest\": ") + (by_guest ? "true" : "false") +
                         ", \"reason\": \"" + reason + "\"}");
    exit_status_ = 0;
  }

  void tell(const std::string& event, const std::string& data = "") const {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    say("{\"timestamp\": {\"seconds\": " + std::to_string(now.tv_sec) +
        ", \"microseconds\": " + std::to_string(now.tv_usec) + "}, \"event\": \"" + event + "\"" +
        (data.empty() ? "" : ", \"data\": " + data) + "}");
  }

  void say(const std::string& message) const {
    if (qmp_out_ >= 0) send_text(qmp_out_, message + "\r\n");
  }

  const Behaviours known_commands_ = {
      "\"qmp_capabilities\"", "\"system_powerdown\"", "\"quit\"", "\"cont\"", "\"stop\"",
      "\"system_reset\""};
  Arguments argv_;
  Behaviours behaviours_ = behaviours_in("FAKE_QEMU");
  std::map<std::string, Port> ports_;
  int signals_ = -1;
  int qmp_out_ = -1;
  bool negotiated_ = false;
  std::string unread_;
  std::string status_ = "running";
  std::optional<int> exit_status_;
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argv, argv + argc);
  if (argc == 2 && (arguments[1] == "--version" || arguments[1] == "-version")) {
    std::fputs(version, stdout);
    return 0;
  }
  FakeQemu qemu(arguments);
  for (int i = 1; i + 1 < argc; ++i) {
    if (arguments[i] == "-qmp" && arguments[i + 1] == "stdio")
      return qemu.run_on_standard_streams();
  }
  log_start("qemu", arguments);
  return qemu.run();
}
