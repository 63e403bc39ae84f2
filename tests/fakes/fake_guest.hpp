// SPDX-License-Identifier: MIT
// Plays a guest with an agent: its serial ports are sockets of QEMU's, its processes real ones.
//
// A script for `exec` runs as guest_shell.hpp says, in $FAKE_LOG_DIR/guest; any other is only
// written down, in $FAKE_LOG_DIR/guest/script.
#pragma once

#include "fake.hpp"
#include "guest_shell.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

namespace fake {

inline std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = digits.find(c);
    if (digit == digits.npos) break;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) bytes += static_cast<char>(group >> (bits -= 8) & 0xff);
  }
  return bytes;
}

class FakeGuest {
 public:
  /// Says what QEMU tells of it.
  using Tell = std::function<void(const std::string& event, const std::string& data)>;

  FakeGuest(const Behaviours& behaviours, Tell tell)
      : behaviours_(behaviours), tell_(std::move(tell)), folder_(log_path("guest")) {
    if (!has_agent()) return;
    std::filesystem::create_directories(folder_ + "/ports");
    std::filesystem::create_directories(folder_ + "/dev");
    // Everything that a script leaves behind is ours, and gone with us.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ended_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  ~FakeGuest() {
    if (!has_agent()) return;
    do {
      std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
      for (pid_t pid = 0; file >> pid;) ::kill(pid, SIGKILL);
    } while (::waitpid(-1, nullptr, 0) > 0);
  }

  FakeGuest(const FakeGuest&) = delete;
  FakeGuest& operator=(const FakeGuest&) = delete;

  [[nodiscard]] bool has_agent() const {
    return !folder_.empty() &&
           std::any_of(behaviours_.begin(), behaviours_.end(),
                       [](const auto& word) { return word.rfind("agent", 0) == 0; });
  }

  /// Readable when a process has ended; -1 without an agent.
  [[nodiscard]] int ended() const { return ended_; }

  /// Takes note of ended processes.
  void reap() {
    signalfd_siginfo info{};
    while (::read(ended_, &info, sizeof info) == sizeof info) {
    }
    for (pid_t pid = 0; (pid = ::waitpid(-1, nullptr, WNOHANG)) > 0;) {
      const auto script = scripts_.find(pid);
      if (script == scripts_.end()) continue;
      for (const auto& id : std::exchange(script->second, {})) {
        if (ports_.count(id) != 0) tell_port(id, false);
      }
    }
  }

  void plug(const std::string& id, const std::string& name, int socket) {
    const auto node = "vport1p" + std::to_string(++last_port_);
    ports_[id] = {name, node, socket};
    std::filesystem::create_directory(folder_ + "/ports/" + node);
    std::ofstream(folder_ + "/ports/" + node + "/name") << name << '\n';
    std::filesystem::create_symlink("/dev/null", folder_ + "/dev/" + node);
  }

  void unplug(const std::string& id) {
    const auto port = ports_.extract(id);
    std::filesystem::remove_all(folder_ + "/ports/" + port.mapped().node);
    std::filesystem::remove(folder_ + "/dev/" + port.mapped().node);
  }

  /// What the agent answers to a line; empty: nothing.
  std::string answer(const std::string& line) {
    const auto message = boost::json::parse(line).as_object();
    boost::json::object reply;
    const auto command = message.at("execute").as_string();
    if (behaviours_.count("agent-mute") != 0) return "";
    if (command == "guest-exec") {
      reply = execute(message.at("arguments").as_object());
    } else if (command == "guest-exec-status") {
      const auto pid = message.at("arguments").at("pid").to_number<pid_t>();
      const auto script = scripts_.find(pid);
      const bool ended = script == scripts_.end() || script->second.empty();
      if (ended) scripts_.erase(pid);
      reply = {{"return", {{"exited", ended}}}};
    } else {
      reply = {{"return", boost::json::object()}};
    }
    reply["id"] = message.at("id");
    return boost::json::serialize(reply) + "\n";
  }

 private:
  struct Port {
    std::string name;
    std::string node;
    int socket = -1;
  };

  void tell_port(const std::string& id, bool open) const {
    tell_("VSERPORT_CHANGE",
          std::string(R"({"open": )") + (open ? "true" : "false") + R"(, "id": ")" + id + "\"}");
  }

  static boost::json::object refuse(const std::string& why) {
    return {{"error", {{"class", "GenericError"}, {"desc", why}}}};
  }

  boost::json::object execute(const boost::json::object& arguments) {
    if (behaviours_.count("agent-blocked") != 0) {
      return refuse("Command guest-exec has been disabled: the command is not allowed");
    }
    auto script = from_base64(std::string(arguments.at("input-data").as_string()));
    std::ofstream(folder_ + "/script") << script;
    if (behaviours_.count("agent-lazy") != 0 || !move_into(script, folder_)) {
      return {{"return", {{"pid", 1}}}};
    }
    const auto names =
        script.substr(script.find('=') + 1, script.find('\n') - script.find('=') - 1);
    std::array<int, 3> sockets{};
    std::vector<std::string> ids;
    for (const auto& [id, port] : ports_) {
      if (port.name.rfind(names + ".", 0) != 0) continue;
      const auto stream = port.name.substr(names.size() + 1);
      sockets.at(stream == "in" ? 0 : stream == "out" ? 1 : 2) = port.socket;
      ids.push_back(id);
      tell_port(id, true);
    }
    const auto pid = start_script({std::string(arguments.at("path").as_string())}, script, sockets);
    scripts_[pid] = ids;
    return {{"return", {{"pid", pid}}}};
  }

  Behaviours behaviours_;
  Tell tell_;
  std::string folder_;
  int ended_ = -1;
  int last_port_ = 0;
  std::map<std::string, Port> ports_;                  ///< by device
  std::map<pid_t, std::vector<std::string>> scripts_;  ///< their devices; none when it has ended
};

}  // namespace fake
