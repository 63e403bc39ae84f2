// SPDX-License-Identifier: MIT
#include "run/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

namespace vmr {
namespace {

using namespace std::chrono_literals;

/// How long a helper may take to follow QEMU, or QEMU's own end to arrive after a helper's.
constexpr auto settling_time = 500ms;
/// QEMU's disconnection ends a helper with an exit status; this long QEMU's end may be on its way.
constexpr auto suspicion_time = 50ms;
constexpr auto helper_grace = 1s;
constexpr auto powerdown_interval = 5s;

/// How long a guest may take from its start to cloud-init's first steps. Twice what a Debian guest
/// needs under emulation on a busy machine.
constexpr std::chrono::seconds boot_time(Accelerator accelerator) {
  return accelerator == Accelerator::kvm ? 60s : 120s;
}

std::string last_line(const Ending& ending) {
  return ending.last_lines.empty() ? "it wrote nothing" : ending.last_lines.back();
}

bool mentions_kvm(const Ending& ending) {
  return std::any_of(ending.last_lines.begin(), ending.last_lines.end(), [](const auto& line) {
    return line.find("kvm") != line.npos || line.find("KVM") != line.npos;
  });
}

/// A crash of its own, not an end that we asked for.
bool crashed(const Ending& ending) {
  return ending.signal != 0 && ending.signal != SIGTERM && ending.signal != SIGKILL;
}

}  // namespace

Supervisor::Supervisor(SupervisorPlan plan) : plan_(std::move(plan)) {}

Actions Supervisor::start() {
  start_attempt(0);
  return std::exchange(actions_, {});
}

Actions Supervisor::on(const Event& event) {
  if (phase_ != Phase::stopped) {
    std::visit([this](const auto& which) { handle(which); }, event);
  }
  return std::exchange(actions_, {});
}

void Supervisor::handle(const event::QmpReady&) {
  if (phase_ != Phase::starting || ending_) return;
  phase_ = Phase::booting;
  say(LogLevel::info,
      fmt::format("The machine runs (accelerator={})", word_for(plan_.attempts.at(attempt_))));
  if (!plan_.mount_command.empty()) {
    actions_.emplace_back(action::Arm{Timer::report, boot_time(plan_.attempts.at(attempt_))});
  }
}

void Supervisor::handle(const event::GuestAnswered&) {
  if (phase_ == Phase::booting) phase_ = Phase::running;
}

void Supervisor::handle(const event::GuestPoweredOff& event) {
  powered_off_ = true;
  if (event.reason == "guest-panic") {
    say(LogLevel::error, "The guest's kernel panicked");
    status_ = ExitStatus::failed;
  } else {
    say(LogLevel::info, "The guest powered off");
  }
  if (phase_ == Phase::stopping) return;
  if (phase_ == Phase::booting) miss_report("before it powered off");
  phase_ = Phase::stopping;
  give_time_to_power_off();
}

void Supervisor::handle(const event::MachineBroken& event) {
  if (phase_ == Phase::stopping) return;
  if (event.status == "internal-error" && phase_ != Phase::running && can_restart()) {
    restart_with_next("the machine stopped with 'internal-error'");
    end_qemu(SIGKILL);
    return;
  }
  say(LogLevel::error, fmt::format("The machine stopped: QEMU's run state is '{}'", event.status));
  // The guest may go on once there is room on the disk again; a monitor can say `cont`.
  if (event.status == "io-error") return;
  status_ = ExitStatus::failed;
  phase_ = Phase::stopping;
  quit_qemu();
}

void Supervisor::handle(const event::QemuEnded& event) {
  qemu_runs_ = false;
  qemu_ending_ = event.ending;
  if (phase_ == Phase::starting && !ending_ && !restarting_ && !helpers_.empty()) {
    // Helpers end by themselves now; how they do tells whether one of them was the cause.
    actions_.emplace_back(action::Arm{Timer::helpers, settling_time});
    return;
  }
  if (phase_ == Phase::starting && !restarting_) {
    qemu_never_ready();
  } else if (!restarting_) {
    phase_ = Phase::stopping;
    settle_status();
  }
  end_helpers();
  finish_if_all_ended();
}

void Supervisor::handle(const event::HelperEnded& event) {
  helpers_.erase(event.name);
  if (phase_ == Phase::stopping || restarting_) {
    if (qemu_runs_ && !ending_ && event.ending.failed) {
      report(fmt::format("{} died while the machine was stopping", event.name), event.ending);
    }
    finish_if_all_ended();
    return;
  }
  if (!suspect_ || (event.ending.failed && !suspect_->ending.failed)) suspect_ = event;
  if (phase_ == Phase::starting) {
    if (qemu_runs_) {
      end_qemu(SIGTERM);
    } else if (helpers_.empty()) {
      qemu_never_ready();
      finish_if_all_ended();
    }
  } else if (event.ending.signal != 0) {
    helper_died(event);
  } else {
    actions_.emplace_back(action::Arm{Timer::helpers, suspicion_time});
  }
}

void Supervisor::handle(const event::StopAsked& event) {
  const bool again = phase_ == Phase::stopping;
  stop_asked_ = true;
  if (phase_ == Phase::starting) {
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
  } else {
    const auto seconds = std::chrono::duration<double>(plan_.stop_timeout).count();
    say(LogLevel::info,
        fmt::format("Stopping ({}): the guest has {:g} s to power off", event.by, seconds));
    press_power_button();
  }
}

void Supervisor::handle(const event::TimerFired& event) {
  switch (event.timer) {
    case Timer::powerdown_again:
      if (phase_ != Phase::stopping || !qemu_runs_ || ending_ || powered_off_) return;
      actions_.emplace_back(action::Powerdown{});
      actions_.emplace_back(action::Arm{Timer::powerdown_again, powerdown_interval});
      return;
    case Timer::quit:
      if (phase_ != Phase::stopping || !qemu_runs_ || ending_) return;
      say(LogLevel::warn, powered_off_
                              ? "QEMU does not end after the guest's power-off: it is told to quit"
                              : "The guest did not power off in time: QEMU is told to quit");
      quit_qemu();
      return;
    case Timer::terminate:
      if (!qemu_runs_ || !ending_) return;
      say(LogLevel::warn, "QEMU does not answer: SIGTERM");
      actions_.emplace_back(action::SignalQemu{SIGTERM});
      return;
    case Timer::kill:
      if (!qemu_runs_ || !ending_) return;
      say(LogLevel::warn, "QEMU does not end: SIGKILL");
      actions_.emplace_back(action::SignalQemu{SIGKILL});
      return;
    case Timer::helpers:
      if (!qemu_runs_ && phase_ == Phase::starting && !restarting_ && qemu_ending_) {
        qemu_never_ready();
        end_helpers();
        finish_if_all_ended();
      } else if (qemu_runs_ && suspect_ && phase_ != Phase::stopping && phase_ != Phase::starting) {
        helper_died(*suspect_);
      } else if (!qemu_runs_ && !helpers_.empty()) {
        actions_.emplace_back(action::SignalHelpers{SIGKILL});
      }
      return;
    case Timer::report:
      if (phase_ == Phase::booting) {
        miss_report(fmt::format("within {} s", boot_time(plan_.attempts.at(attempt_)).count()));
      }
      return;
  }
}

void Supervisor::start_attempt(std::size_t attempt) {
  phase_ = Phase::starting;
  attempt_ = attempt;
  qemu_runs_ = true;
  helpers_ = {plan_.helpers.begin(), plan_.helpers.end()};
  qemu_ending_.reset();
  suspect_.reset();
  ending_ = false;
  restarting_ = false;
  actions_.emplace_back(action::Start{attempt});
}

void Supervisor::end_qemu(int signal) {
  ending_ = true;
  if (!qemu_runs_) return;
  actions_.emplace_back(action::SignalQemu{signal});
  actions_.emplace_back(action::Arm{Timer::kill, helper_grace});
}

void Supervisor::press_power_button() {
  phase_ = Phase::stopping;
  actions_.emplace_back(action::Powerdown{});
  actions_.emplace_back(action::Arm{Timer::powerdown_again, powerdown_interval});
  give_time_to_power_off();
}

void Supervisor::give_time_to_power_off() {
  actions_.emplace_back(action::Arm{Timer::quit, plan_.stop_timeout - reserve()});
}

void Supervisor::quit_qemu() {
  ending_ = true;
  actions_.emplace_back(action::Quit{});
  actions_.emplace_back(action::Arm{Timer::terminate, reserve() / 3});
  actions_.emplace_back(action::Arm{Timer::kill, reserve() * 2 / 3});
}

std::chrono::milliseconds Supervisor::reserve() const {
  return std::min<std::chrono::milliseconds>(3s, plan_.stop_timeout / 4);
}

void Supervisor::helper_died(const event::HelperEnded& event) {
  report(fmt::format("{} died", event.name), event.ending);
  say(LogLevel::error,
      "Processes of the guest that use this share hang from now on; the machine is stopped");
  status_ = ExitStatus::helper_died;
  press_power_button();
}

void Supervisor::qemu_never_ready() {
  const Ending& ending = *qemu_ending_;
  phase_ = Phase::stopping;
  if (suspect_ && suspect_->ending.failed && !crashed(ending)) {
    report(fmt::format("{} died before the machine ran", suspect_->name), suspect_->ending);
    status_ = ExitStatus::helper_died;
  } else if (can_restart() && (crashed(ending) || mentions_kvm(ending))) {
    restart_with_next(fmt::format("QEMU died ({}): {}", ending.what, last_line(ending)));
  } else {
    report("QEMU died before the machine ran", ending);
    const bool kvm = plan_.attempts.at(attempt_) == Accelerator::kvm && mentions_kvm(ending);
    if (kvm) say(LogLevel::error, "KVM does not work here; ACCEL=tcg runs without it, slowly");
    status_ = kvm ? ExitStatus::host_unsupported : ExitStatus::failed;
  }
}

bool Supervisor::can_restart() const {
  return plan_.attempts.at(attempt_) == Accelerator::kvm && attempt_ + 1 < plan_.attempts.size() &&
         !stop_asked_;
}

void Supervisor::restart_with_next(const std::string& why) {
  restarting_ = true;
  say(LogLevel::warn,
      fmt::format("KVM does not work here, the guest runs under {} instead, many times slower: {}",
                  word_for(plan_.attempts.at(attempt_ + 1)), why));
}

void Supervisor::settle_status() {
  if (powered_off_ || status_) {
    status_ = status_.value_or(ExitStatus::ok);
  } else if (stop_asked_ && ending_) {
    say(LogLevel::error, "The guest did not stop in time and was killed");
    status_ = ExitStatus::stop_timeout;
  } else if (qemu_ending_->failed) {
    report("QEMU died", *qemu_ending_);
    status_ = ExitStatus::failed;
  } else {
    status_ = ExitStatus::ok;
  }
}

void Supervisor::miss_report(const std::string& when) {
  if (plan_.mount_command.empty()) return;
  say(LogLevel::warn,
      fmt::format("The guest did not say {} whether its shares are mounted: it is slow, or it does "
                  "not run cloud-init (by hand, in the guest: {})",
                  when, plan_.mount_command));
}

void Supervisor::end_helpers() {
  if (helpers_.empty()) return;
  actions_.emplace_back(action::SignalHelpers{SIGTERM});
  actions_.emplace_back(action::Arm{Timer::helpers, helper_grace});
}

void Supervisor::finish_if_all_ended() {
  if (qemu_runs_ || !helpers_.empty()) return;
  if (restarting_) {
    start_attempt(attempt_ + 1);
    return;
  }
  phase_ = Phase::stopped;
  actions_.emplace_back(action::Finish{status_.value_or(ExitStatus::ok)});
}

void Supervisor::say(LogLevel level, std::string text) {
  actions_.emplace_back(action::Say{level, std::move(text)});
}

void Supervisor::report(const std::string& what, const Ending& ending) {
  say(LogLevel::error, fmt::format("{} ({})", what, ending.what));
  for (const auto& line : ending.last_lines) say(LogLevel::error, "  " + line);
}

}  // namespace vmr
