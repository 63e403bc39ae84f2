// SPDX-License-Identifier: MIT
// How the supervisor ends what runs.
#include "run/supervisor.hpp"

#include <fmt/format.h>

#include <csignal>

namespace vmr {
namespace {

using namespace std::chrono_literals;

constexpr auto helper_grace = 1s;
constexpr auto powerdown_interval = 5s;
/// How long a QEMU may take that is ending, besides what its memory needs.
constexpr auto ending_grace = 5s;

}  // namespace

void Supervisor::handle(const event::StopAsked& event) {
  const bool again = phase_ == Phase::stopping;
  stop_asked_ = true;
  if (event.now && !ending_) waits_for_guest_ = false;
  if (phase_ == Phase::starting || restarting_) {
    say(LogLevel::info, fmt::format("Stopping before the machine runs ({})", event.by));
    phase_ = Phase::stopping;
    status_ = ExitStatus::ok;
    restarting_ = false;
    end_qemu(SIGTERM);
    end_helpers();
    finish_if_all_ended();
  } else if (again) {
    say(LogLevel::warn, fmt::format("Asked to stop again ({}): not waiting any longer", event.by));
    if (!ending_) quit_qemu();
  } else if (event.now) {
    say(LogLevel::warn, fmt::format("Stopping ({}) without waiting for the guest", event.by));
    phase_ = Phase::stopping;
    quit_qemu();
  } else {
    const auto seconds = std::chrono::duration<double>(schedule_.all()).count();
    say(LogLevel::info,
        fmt::format("Stopping ({}): the guest has {:g} s to power off", event.by, seconds));
    begin_stop();
  }
}

void Supervisor::end_qemu(int signal) {
  ending_ = true;
  if (!qemu_runs_) return;
  actions_.emplace_back(action::SignalQemu{signal});
  arm(Timer::kill, helper_grace);
}

void Supervisor::begin_stop() {
  phase_ = Phase::stopping;
  // A guest that does not run cannot hear the button.
  if (paused_) actions_.emplace_back(action::Continue{});
  press_power_button();
  arm(Timer::agent, schedule_.agent());
  arm(Timer::quit, schedule_.quit());
}

void Supervisor::press_power_button() {
  actions_.emplace_back(action::Powerdown{});
  arm(Timer::powerdown_again, powerdown_interval);
}

void Supervisor::use_agent(const std::string& text) {
  if (phase_ != Phase::stopping || !agent_ || powered_off_ || ending_) return;
  agent_is_due_ = false;
  say(LogLevel::info, text);
  actions_.emplace_back(action::AgentShutdown{});
}

void Supervisor::quit_qemu() {
  ending_ = ending_on_schedule_ = true;
  actions_.emplace_back(action::Quit{});
  arm_end_of_qemu();
}

void Supervisor::arm_end_of_qemu() {
  const auto more = qemu_is_ending_ ? ending_grace + schedule_.memory() : StopSchedule::Time(0);
  arm(Timer::terminate, schedule_.terminate() - schedule_.quit() + more);
  arm(Timer::kill, schedule_.kill() - schedule_.quit() + more);
}

void Supervisor::end_helpers() {
  if (helpers_.empty()) return;
  actions_.emplace_back(action::SignalHelpers{SIGTERM});
  arm(Timer::helpers, helper_grace);
}

std::string Supervisor::with_time_left(const std::string& text, StopSchedule::Time now) const {
  const auto left = std::chrono::duration<double>(schedule_.all() - now).count();
  return fmt::format("{} ({:.1f} s left)", text, left);
}

}  // namespace vmr
