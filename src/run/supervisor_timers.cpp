// SPDX-License-Identifier: MIT
// What the supervisor's deadlines lead to.
#include "run/supervisor.hpp"

#include <fmt/format.h>

#include <csignal>
#include <utility>

namespace vmr {
namespace {

using namespace std::chrono_literals;

/// How long SIGKILL may take. A process that hangs in the kernel never ends.
constexpr auto kill_grace = 5s;
/// A disk that is still full pauses the machine again at once.
constexpr auto resumed_time = 2s;

}  // namespace

void Supervisor::handle(const event::TimerFired& event) {
  switch (event.timer) {
    case Timer::start:
      return give_up_starting();
    case Timer::report:
      if (phase_ != Phase::booting) return;
      settled_ = gave_up_on_guest_ = true;
      return miss_report(fmt::format("within {} s", boot_time().count()));
    case Timer::monitor:
      return give_up_monitor();
    case Timer::helpers:
      return look_at_helpers();
    case Timer::resume:
      if (!paused_ || (phase_ != Phase::booting && phase_ != Phase::running)) return;
      retried_ = true;
      actions_.emplace_back(action::Continue{});
      return arm(Timer::resumed, resumed_time);
    case Timer::resumed:
      // Paused again meanwhile, it waits for the next Timer::resume.
      if (!retried_) return;
      paused_ = retried_ = false;
      return say(LogLevel::info, "The machine goes on: there is room on the disk again");
    default:
      return escalate(event.timer);
  }
}

void Supervisor::escalate(Timer timer) {
  const bool waits_for_guest = phase_ == Phase::stopping && qemu_runs_ && !ending_;
  const bool waits_for_qemu = qemu_runs_ && ending_;
  switch (timer) {
    case Timer::powerdown_again:
      if (waits_for_guest && !powered_off_) press_power_button();
      return;
    case Timer::agent:
      agent_is_due_ = true;
      return use_agent(
          with_time_left("The guest has not powered off yet: its agent is told to shut it down",
                         schedule_.agent()));
    case Timer::quit:
      if (!waits_for_guest) return;
      if (!monitor_closed_ || !qemu_is_ending_) {
        say(LogLevel::warn,
            with_time_left(powered_off_
                               ? "QEMU does not end after the guest's power-off: it is told to quit"
                               : "The guest did not power off in time: QEMU is told to quit",
                           schedule_.quit()));
      }
      return quit_qemu();
    case Timer::terminate:
      if (!waits_for_qemu) return;
      say(LogLevel::warn,
          qemu_is_ending_ ? "QEMU does not end: SIGTERM"
                          : with_time_left("QEMU does not answer: SIGTERM", schedule_.terminate()));
      actions_.emplace_back(action::SignalQemu{SIGTERM});
      return;
    case Timer::kill:
      if (!waits_for_qemu) return;
      qemu_was_killed_ = true;
      say(LogLevel::warn, ending_on_schedule_ && !qemu_is_ending_
                              ? with_time_left("QEMU does not end: SIGKILL", schedule_.kill())
                              : "QEMU does not end: SIGKILL");
      actions_.emplace_back(action::SignalQemu{SIGKILL});
      return arm(Timer::abandon, kill_grace + schedule_.memory());
    case Timer::abandon:
      if (waits_for_qemu) abandon_qemu();
      return;
    default:
      return;
  }
}

void Supervisor::give_up_starting() {
  if (phase_ != Phase::starting || !qemu_runs_ || ending_) return;
  const auto why = fmt::format("QEMU did not answer within {:g} s",
                               std::chrono::duration<double>(plan_.start_timeout).count());
  if (can_restart()) {
    restart_with_next(why);
  } else {
    say(LogLevel::error, why + ": it is ended");
    say(LogLevel::error, "  hint: START_TIMEOUT gives it more time");
    status_ = ExitStatus::failed;
    phase_ = Phase::stopping;
  }
  end_qemu(SIGKILL);
}

void Supervisor::give_up_monitor() {
  if (!monitor_closed_ || !qemu_runs_ || ending_ || qemu_is_ending_) return;
  say(LogLevel::error, "QEMU closed its monitor and goes on: it cannot be controlled any more");
  status_ = ExitStatus::failed;
  if (phase_ == Phase::starting || !agent_) {
    phase_ = Phase::stopping;
    return end_qemu(SIGTERM);
  }
  // The guest can still be told, and what comes after its time ends QEMU in any case.
  if (phase_ != Phase::stopping) arm(Timer::quit, schedule_.quit());
  phase_ = Phase::stopping;
  use_agent("The guest's agent is told to shut it down");
}

void Supervisor::look_at_helpers() {
  if (!qemu_runs_ && phase_ == Phase::starting && !restarting_ && qemu_ending_) {
    qemu_never_ready();
    end_helpers();
    finish_if_all_ended();
  } else if (qemu_runs_ && !suspects_.empty() &&
             (phase_ == Phase::booting || phase_ == Phase::running)) {
    helpers_died();
  } else if (!qemu_runs_ && !helpers_.empty() && !std::exchange(helpers_killed_, true)) {
    actions_.emplace_back(action::SignalHelpers{SIGKILL});
    arm(Timer::helpers, kill_grace + schedule_.memory());
  } else if (!qemu_runs_ && !helpers_.empty()) {
    say(LogLevel::error,
        fmt::format("{} does not end even by SIGKILL: it hangs in the kernel, and is left behind",
                    helpers_.begin()->first));
    helpers_.clear();
    actions_.emplace_back(action::Abandon{});
    finish_if_all_ended();
  }
}

void Supervisor::abandon_qemu() {
  say(LogLevel::error,
      "QEMU does not end even by SIGKILL: it hangs in the kernel, and is left behind");
  actions_.emplace_back(action::Abandon{});
  status_ = status_.value_or(ExitStatus::stop_timeout);
  qemu_runs_ = restarting_ = false;
  phase_ = Phase::stopping;
  end_helpers();
  finish_if_all_ended();
}

}  // namespace vmr
