// SPDX-License-Identifier: MIT
#include "run/phase_text.hpp"

#include "run/status.hpp"

#include <fmt/format.h>

#include <variant>

namespace vmr {
namespace {

std::string_view word_for(Timer timer) {
  switch (timer) {
    case Timer::start:
      return "start";
    case Timer::report:
      return "report";
    case Timer::monitor:
      return "monitor";
    case Timer::helpers:
      return "helpers";
    case Timer::resume:
      return "resume";
    case Timer::resumed:
      return "resumed";
    case Timer::powerdown_again:
      return "powerdown again";
    case Timer::agent:
      return "agent";
    case Timer::quit:
      return "quit";
    case Timer::terminate:
      return "terminate";
    case Timer::kill:
      return "kill";
    case Timer::abandon:
      return "abandon";
  }
  return {};
}

struct EventWords {
  std::string operator()(const event::StartFailed& failed) { return failed.what; }
  std::string operator()(const event::QmpReady&) { return "QEMU answered"; }
  std::string operator()(const event::MonitorClosed&) { return "QEMU closed its monitor"; }
  std::string operator()(const event::GuestAnswered&) { return "the guest reported"; }
  std::string operator()(const event::AgentChanged& changed) {
    return changed.present ? "the guest agent came" : "the guest agent went";
  }
  std::string operator()(const event::GuestRestarted&) { return "the guest restarted"; }
  std::string operator()(const event::GuestPoweredOff& off) {
    return fmt::format("the guest powered off: {}", off.reason);
  }
  std::string operator()(const event::QemuEnding& ending) {
    return fmt::format("QEMU ends: {}", ending.reason);
  }
  std::string operator()(const event::MachineBroken& broken) {
    return fmt::format("the machine is '{}'", broken.status);
  }
  std::string operator()(const event::QemuEnded& ended) {
    return fmt::format("qemu ended ({})", ended.ending.what);
  }
  std::string operator()(const event::CallRefused& refused) {
    return fmt::format("the system call '{}' was refused", refused.call);
  }
  std::string operator()(const event::HelperAdded& added) { return added.name + " was added"; }
  std::string operator()(const event::HelperReleased& released) {
    return released.name + " may end";
  }
  std::string operator()(const event::HelperEnded& ended) {
    return fmt::format("{} ended ({})", ended.name, ended.ending.what);
  }
  std::string operator()(const event::StopAsked& asked) {
    return fmt::format("stop asked for: {}", asked.by);
  }
  std::string operator()(const event::TimerFired& fired) {
    return fmt::format("the time for '{}' is over", word_for(fired.timer));
  }
};

}  // namespace

std::string describe(const Event& event) {
  return std::visit(EventWords{}, event);
}

std::string describe_step(std::chrono::milliseconds since_start, Phase from, Phase to,
                          const Event& event) {
  return fmt::format("+{:.3f} s: {} -> {} ({})", std::chrono::duration<double>(since_start).count(),
                     word_for(from), word_for(to), describe(event));
}

}  // namespace vmr
