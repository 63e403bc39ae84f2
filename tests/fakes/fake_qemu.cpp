// SPDX-License-Identifier: MIT
// Plays QEMU: takes its listening sockets, connects to the virtiofsds and answers QMP.
//
//   FAKE_QEMU=
//     exit-at-once       exits 1 with a line on standard error, FAKE_LAST_WORDS if set
//     abort              dies of SIGABRT before it serves
//     abort-kvm          with the kvm accelerator: dies of SIGABRT between greeting and answer
//     mute               never greets
//     slow               greets after the gate, or without one after 300 ms
//     flood              1 MB on standard error
//     hostile-calls      makes the calls of hostile_calls.hpp and tells how they are answered
//     ignore-powerdown, ignore-quit, ignore-term
//     linger             closes its monitor at its end, and goes on for 2 s
//     echo-console       says "console: hello" on the console and sends back what it hears
//     flood-console      when it hears something: the console lines "1" to "500000", "the end"
//     slow-console       passes the gate before it hears something on the console
//     report             says FAKE_REPORT (default: "1 ok /mnt/share", "done") on the report port
//     last-words         ends with the console lines "1" to "20000" and "the end"
//     keep-device        lets go of an added share at the second device_del only
//     agent              the guest has an agent (see fake_guest.hpp), once the machine runs
//     agent-mute         … that does not answer
//     agent-blocked      … that may not start anything
//     agent-lazy         … that only says it has
//   and, once the client has read the answer to qmp_capabilities; each passes the gate:
//     crash-after-start  dies of SIGSEGV
//     poweroff           the guest powers itself off
//     panic              the guest panics
//     internal-error     the machine stops for good
//
// and those of hostile_guest.hpp, and whatever a test tells it by a signal (fault.hpp).
//
// `-qmp stdio` is served too, but not logged: so does the launcher try KVM.
#include "ask_launcher.hpp"
#include "fake.hpp"
#include "fake_chardevs.hpp"
#include "fake_guest.hpp"
#include "fake_hot_plug.hpp"
#include "fake_qemu_words.hpp"
#include "fault.hpp"
#include "hostile_calls.hpp"
#include "hostile_guest.hpp"

#include <algorithm>
#include <array>
#include <linux/sockios.h>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <utility>

namespace {

using namespace fake;

class FakeQemu {
 public:
  explicit FakeQemu(Arguments argv) : argv_(std::move(argv)) {}

  int run() {
    if (has("ignore-term")) std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    if (has("flood")) flood(flood_line("qemu-system-x86_64"));
    if (has("exit-at-once")) {
      const auto words = environment("FAKE_LAST_WORDS");
      std::fprintf(stderr, "qemu-system-x86_64: %s\n",
                   words.empty() ? "-fake: exits at once" : words.c_str());
      return 1;
    }
    if (has("abort")) {
      std::fputs(kvm_assertion, stderr);
      die_by(SIGABRT);
    }
    if (!open_chardevs(argv_, ports_)) return 1;
    ask_launcher();
    if (has("hostile-calls")) tell_hostile_calls();
    signals_ = watch_signals(!has("ignore-term"));
    if (has("mute")) std::fputs("qemu-system-x86_64: says nothing\n", stderr);
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

  static int watch_signals(bool sigterm) {
    sigset_t set;
    ::sigemptyset(&set);
    if (sigterm) ::sigaddset(&set, SIGTERM);
    for (int i = 0; i < faults; ++i) ::sigaddset(&set, signal_of(static_cast<Fault>(i)));
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC);
  }

  void serve_once() {
    std::vector<pollfd> waiting = {{.fd = signals_, .events = POLLIN, .revents = 0},
                                   {.fd = guest_.ended(), .events = POLLIN, .revents = 0}};
    // From the last to the first: what QMP was told comes before what the agent is told then.
    for (auto port = ports_.rbegin(); port != ports_.rend(); ++port) {
      waiting.push_back({port->second.readable(), POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) take_signal();
    if (waiting[1].revents != 0) guest_.reap();
    std::size_t i = 2;
    for (auto it = ports_.rbegin(); it != ports_.rend(); ++it) {
      if (waiting[i++].revents == 0 || exit_status_) continue;
      auto& [id, port] = *it;
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
      if (has("mute")) return;
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
    if (id == "console" && has("slow-console")) pass_gate("qemu");
    std::array<char, 4096> bytes{};
    const auto size = id == "qmp" ? hot_plug_.read(port.client, bytes)
                                  : ::read(port.client, bytes.data(), bytes.size());
    if (size <= 0) {
      ::close(std::exchange(port.client, -1));
      return;
    }
    const std::string text(bytes.data(), static_cast<std::size_t>(size));
    if (id == "console" && has("echo-console")) send_text(port.client, "console: " + text);
    if (id == "agent" && text.find("guest-shutdown") != text.npos) {
      shut_down(true, "guest-shutdown");
    }
    if (id == "console" && has("flood-console")) say_lines(500'000);
    if (id == "qmp") take_qmp(text);
    if (id == "agent" && guest_.has_agent()) take_agent(text);
  }

  void take_agent(const std::string& text) {
    agent_line_ += text;
    for (auto end = agent_line_.find('\n'); end != text.npos; end = agent_line_.find('\n')) {
      send_text(ports_["agent"].client, guest_.answer(agent_line_.substr(0, end)));
      agent_line_.erase(0, end + 1);
    }
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
      // In one piece: who has read the first answer knows of the agent.
      const bool begins = !negotiated_ && guest_.has_agent();
      say("{\"return\": {}" + tail + (begins ? "\r\n" + agent_event() : ""));
      execute(command);
    } else if (const auto failure = plug(message)) {
      if (failure->empty()) {
        say("{\"return\": {}" + tail);
        hot_plug_.after_answer();
      } else {
        refuse(*failure);
      }
    } else {
      refuse("The command " + command.substr(1, command.size() - 2) + " has not been found");
    }
  }

  static std::string agent_event() {
    return event_text("VSERPORT_CHANGE", R"({"open": true, "id": "agent"})");
  }

  /// What HotPlug says of the command.
  std::optional<std::string> plug(const std::string& message) {
    const auto object = boost::json::parse(message).as_object();
    const auto* arguments = object.if_contains("arguments");
    if (arguments == nullptr) return std::nullopt;
    return hot_plug_.execute(std::string(object.at("execute").as_string()), arguments->as_object());
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
    if (!acts && !is_hostile(behaviours_)) return;
    for (int unread = 1; ::ioctl(qmp_out_, SIOCOUTQ, &unread) == 0 && unread > 0;) ::usleep(1000);
    pass_gate("qemu");
    start_hostile_guest(behaviours_, [this](const auto& port) { return ports_[port].client; });
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

  void take_signal() {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof(info)) != sizeof(info)) return;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal != SIGTERM) return suffer(static_cast<Fault>(signal - signal_of(Fault{})));
    std::fprintf(stderr, "qemu-system-x86_64: terminating on signal 15 from pid %u\n",
                 info.ssi_pid);
    shut_down(false, "host-signal");
  }

  void suffer(Fault fault) {
    switch (fault) {
      case Fault::close_socket:
        ::close(std::exchange(ports_["qmp"].client, -1));
        ::close(std::exchange(ports_["qmp"].listener, -1));
        qmp_out_ = -1;
        return;
      case Fault::flood:
        return flood(flood_line("qemu-system-x86_64"));
      case Fault::panic:
        tell("GUEST_PANICKED", R"({"action": "shutdown"})");
        return shut_down(true, "guest-panic");
      case Fault::power_off:
        return shut_down(true, "guest-shutdown");
      case Fault::internal_error:
      case Fault::disk_full:
        status_ = fault == Fault::disk_full ? "io-error" : "internal-error";
        return tell("STOP");
      case Fault::restart:
        return tell("RESET", R"({"guest": true, "reason": "guest-reset"})");
      case Fault::start_agent:
        return tell("VSERPORT_CHANGE", R"({"open": true, "id": "agent"})");
      case Fault::flood_reports:
        return flood_reports(ports_["reports"].client);
    }
  }

  /// Waits for a slow reader, as QEMU's own console does.
  void say_lines(int count) {
    std::string words;
    for (int i = 1; i <= count; ++i) words += std::to_string(i) + "\n";
    send_text(ports_["console"].client, words + "the end\n");
  }

  void shut_down(bool by_guest, const std::string& reason) {
    if (has("last-words")) say_lines(20'000);
    tell("SHUTDOWN", std::string("{\"guest\": ") + (by_guest ? "true" : "false") +
                         ", \"reason\": \"" + reason + "\"}");
    exit_status_ = 0;
    if (!has("linger")) return;
    // As QEMU while the kernel takes back the guest's memory.
    ::close(ports_["qmp"].client);
    ::sleep(2);
  }

  void tell(const std::string& event, const std::string& data = "") const {
    say(event_text(event, data));
  }

  void say(const std::string& message) const {
    if (qmp_out_ >= 0) send_text(qmp_out_, message + "\r\n");
  }

  const Behaviours known_commands_ = {
      "\"qmp_capabilities\"", "\"system_powerdown\"", "\"quit\"", "\"cont\"", "\"stop\"",
      "\"system_reset\""};
  Arguments argv_;
  Behaviours behaviours_ = behaviours_in("FAKE_QEMU");
  Ports ports_;
  FakeGuest guest_{behaviours_, [this](const auto& event, const auto& data) { tell(event, data); }};
  HotPlug hot_plug_{guest_, [this](const auto& event, const auto& data) { tell(event, data); }};
  std::string agent_line_;
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
  if (argc == 3 && arguments[2] == "help") {
    return std::fputs(arguments[1] == "-accel" ? accelerators : devices, stdout) < 0;
  }
  FakeQemu qemu(arguments);
  for (int i = 1; i + 1 < argc; ++i) {
    if (arguments[i] == "-qmp" && arguments[i + 1] == "stdio")
      return qemu.run_on_standard_streams();
  }
  log_start("qemu", arguments);
  return qemu.run();
}
