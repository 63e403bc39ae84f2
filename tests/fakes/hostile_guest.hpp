// SPDX-License-Identifier: MIT
// What a hostile guest makes the fake QEMU send, as behaviours of FAKE_QEMU:
//
//   hostile-reports  much to its report port: reports, other lines, one without an end
//   hostile-agent    much to its agent's port: answers, JSON that is deep or long, other bytes
//   hostile-console  much to its console
//   hostile-events   its machine is reset, its agent comes and goes, 600 times as often
//
// Much is $FAKE_FLOOD MiB, or 32. Each passes the gate, and makes the file
// $FAKE_LOG_DIR/<behaviour> when all of it is sent.
#pragma once

#include "fake.hpp"

#include <functional>
#include <sys/socket.h>
#include <thread>

namespace fake {

inline bool is_hostile(const Behaviours& behaviours) {
  const auto first = behaviours.lower_bound("hostile-");
  return first != behaviours.end() && first->rfind("hostile-", 0) == 0;
}

inline void send_all(int client, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const auto count = ::send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

inline std::string repeat(const std::string& text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

/// Aside: a guest that writes does not keep QEMU from answering.
inline void flood_reports(int port) {
  std::thread([port] { send_all(port, repeat("1 ok /mnt/one\n", 1'000'000)); }).detach();
}

/// What is sent in turn.
inline std::vector<std::string> hostile_pieces(const std::string& behaviour) {
  constexpr std::size_t much = 60'000;
  if (behaviour == "hostile-reports") {
    return {repeat("1 ok /mnt/one\n1 error \xff\xc2\x9b no\ndone\n", much),
            repeat("99 ok /\n1 kept x\n2 gone\n", much), std::string(much, '\n'),
            std::string(3 * much, 'x')};
  }
  if (behaviour == "hostile-agent") {
    return {repeat("{\"return\": {\"pid\": 1}}\n", much),
            repeat("{\"error\": {\"desc\": \"no\"}, \"id\": 1}\n{\"event\": \"x\"}\n", much),
            std::string(much, '['),
            std::string(much, ']') + "\n",
            "{\"return\": [" + repeat("0,", much) + "0]}\n",
            "{\"return\": {" + repeat("\"x\":{},", much) + "\"x\":0}}\n",
            repeat("\xff\n", much),
            std::string(40 * much, 'x')};
  }
  return {repeat("\x1b[31mcolours \xff\r\n", much), std::string(much, 'x')};
}

inline std::vector<std::string> hostile_events() {
  return {R"({"event": "RESET", "data": {"guest": true, "reason": "guest-reset"}})",
          R"({"event": "VSERPORT_CHANGE", "data": {"open": true, "id": "agent"}})",
          R"({"event": "VSERPORT_CHANGE", "data": {"open": false, "id": "agent"}})",
          R"({"event": "VSERPORT_CHANGE", "data": {"open": true, "id": "exec-1-in"}})",
          R"({"event": "GUEST_CRASHLOADED", "data": {"action": "run"}})"};
}

/// Does so, for those behaviours that are asked for; `client_of` tells a port's connection.
inline void start_hostile_guest(const Behaviours& behaviours,
                                const std::function<int(const std::string& port)>& client_of) {
  const auto start = [&](const std::string& behaviour, const std::string& port, std::size_t bytes,
                         std::vector<std::string> pieces) {
    if (behaviours.count(behaviour) == 0) return;
    std::thread([=, client = client_of(port)] {
      std::size_t sent = 0;
      for (std::size_t i = 0; sent < bytes; ++i) {
        const auto& piece = pieces[i % pieces.size()];
        send_all(client, piece);
        sent += piece.size();
      }
      std::ofstream(log_path(behaviour)).flush();
    }).detach();
  };
  const auto wanted = environment("FAKE_FLOOD");
  const std::size_t mebibytes = wanted.empty() ? 32 : std::stoul(wanted);
  for (const std::string port : {"reports", "agent", "console"}) {
    start("hostile-" + port, port, mebibytes << 20, hostile_pieces("hostile-" + port));
  }
  std::string events;
  for (const auto& event : hostile_events()) events += event + "\r\n";
  start("hostile-events", "qmp", 600 * mebibytes * events.size(), {events});
}

}  // namespace fake
