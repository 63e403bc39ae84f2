// SPDX-License-Identifier: MIT
#include "support/supervisor_text.hpp"

#include <fmt/format.h>

namespace vmr::test {
namespace {

using namespace std::chrono_literals;

const char* name_of(Timer timer) {
  constexpr const char* names[] = {"start",   "report",          "monitor", "helpers", "resume",
                                   "resumed", "powerdown-again", "agent",   "quit",    "terminate",
                                   "kill",    "abandon"};
  return names[static_cast<int>(timer)];
}

/// Actions as text, one a line: whole sequences are compared.
struct Printer {
  std::string operator()(const action::Start& a) { return fmt::format("start {}", a.attempt); }
  std::string operator()(const action::AgentShutdown&) { return "agent shutdown"; }
  std::string operator()(const action::Continue&) { return "cont"; }
  std::string operator()(const action::Abandon&) { return "abandon"; }
  std::string operator()(const action::Powerdown&) { return "powerdown"; }
  std::string operator()(const action::Quit&) { return "quit"; }
  std::string operator()(const action::SignalQemu& a) { return fmt::format("qemu {}", a.signal); }
  std::string operator()(const action::SignalHelpers& a) {
    return fmt::format("helpers {}", a.signal);
  }
  std::string operator()(const action::Arm& a) {
    return fmt::format("arm {} {}", name_of(a.timer), a.after.count());
  }
  std::string operator()(const action::Disarm& a) {
    return fmt::format("disarm {}", name_of(a.timer));
  }
  std::string operator()(const action::Say& a) {
    constexpr const char* names[] = {"debug", "info", "warn", "error"};
    return fmt::format("{}: {}", names[static_cast<int>(a.level)], a.text);
  }
  std::string operator()(const action::Finish& a) {
    return fmt::format("finish {}", static_cast<int>(a.status));
  }
};

}  // namespace

Supervisor supervisor(std::vector<Accelerator> attempts, std::map<std::string, std::string> helpers,
                      HelperExitPolicy policy) {
  return Supervisor({std::move(attempts), std::move(helpers), 60s, 8s, policy});
}

std::string text(const Actions& actions) {
  std::string lines;
  for (const auto& action : actions) lines += std::visit(Printer{}, action) + "\n";
  return lines;
}

}  // namespace vmr::test
