// SPDX-License-Identifier: MIT
#include "run/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace vmr {
namespace {

using namespace std::chrono_literals;

/// How long a helper may take to follow QEMU, or QEMU's own end to arrive after a helper's or after
/// it has closed its monitor.
constexpr auto settling_time = 500ms;
/// QEMU's disconnection ends a helper with an exit status; this long QEMU's end may be on its way.
constexpr auto suspicion_time = 50ms;
/// A disk that was full is tried again this often.
constexpr auto resume_interval = 10s;

std::string last_line(const Ending& ending) {
  return ending.last_lines.empty() ? "it wrote nothing" : ending.last_lines.back();
}

/// A crash of its own, not an end that we asked for.
bool crashed(const Ending& ending) {
  return ending.signal != 0 && ending.signal != SIGTERM && ending.signal != SIGKILL;
}

}  // namespace

Supervisor::Supervisor(SupervisorPlan plan)
    : plan_(std::move(plan)), schedule_(plan_.stop_timeout, plan_.memory_mib) {}

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

void Supervisor::handle(const event::StartFailed& event) {
  if (phase_ != Phase::starting) return;
  say(LogLevel::error, event.what);
  if (const auto diagnosis = diagnose({true, 0, "", {event.what}})) {
    say(LogLevel::error, "  hint: " + diagnosis->hint);
  }
  status_ = event.helper ? ExitStatus::helper_died : ExitStatus::failed;
  qemu_runs_ = restarting_ = false;
  helpers_.clear();
  finish_if_all_ended();
}

void Supervisor::handle(const event::QmpReady&) {
  if (phase_ != Phase::starting || !qemu_runs_ || ending_) return;
  phase_ = Phase::booting;
  disarm(Timer::start);
  say(LogLevel::info,
      fmt::format("The machine runs (accelerator={})", word_for(plan_.attempts.at(attempt_))));
  await_guest();
}

void Supervisor::handle(const event::CallRefused& event) {
  say(LogLevel::error,
      fmt::format("The system call '{}' was refused, since vm-runner never makes it by itself: "
                  "somebody may have taken it over",
                  event.call));
  say(LogLevel::error, "  hint: report this with the log, unless you know why");
  status_ = ExitStatus::failed;
  if (phase_ == Phase::booting || phase_ == Phase::running) begin_stop();
}

void Supervisor::handle(const event::MonitorClosed&) {
  if (!qemu_runs_) return;
  monitor_closed_ = true;
  // It closes it before it gives the guest's memory back, which may take seconds.
  if (ending_on_schedule_ && !std::exchange(qemu_is_ending_, true)) arm_end_of_qemu();
  // A QEMU that ends without a word closes it too, and its end is on its way.
  if (!qemu_is_ending_ && !ending_) arm(Timer::monitor, settling_time);
}

void Supervisor::handle(const event::GuestAnswered&) {
  if (phase_ != Phase::booting) return;
  phase_ = Phase::running;
  disarm(Timer::report);
  settled_ = true;
  gave_up_on_guest_ = false;
  restarts_ = 0;
}

void Supervisor::handle(const event::AgentChanged& event) {
  agent_ = event.present;
  if (agent_is_due_) use_agent("The guest has an agent now: it is told to shut it down");
}

void Supervisor::handle(const event::GuestRestarted&) {
  if (phase_ != Phase::booting && phase_ != Phase::running) return;
  phase_ = Phase::booting;
  ++restarts_;
  if (restarts_ > most_restarts_told) return;
  if (restarts_ == most_restarts_told) {
    say(LogLevel::warn,
        fmt::format("The guest has restarted {} times and never came up: its console tells why",
                    restarts_));
  } else {
    say(LogLevel::info, "The guest restarts");
  }
  // One restart may be a part of its first boot; a loop of them does not put the end off for ever.
  if (restarts_ == 1) await_guest();
}

void Supervisor::handle(const event::GuestPoweredOff& event) {
  if (std::exchange(powered_off_, true)) return;
  qemu_is_ending_ = true;
  if (event.reason == "guest-panic") {
    say(LogLevel::error, "The guest's kernel panicked (its last words are on the console)");
    status_ = ExitStatus::failed;
  } else {
    say(LogLevel::info, "The guest powered off");
  }
  if (ending_on_schedule_) arm_end_of_qemu();
  if (phase_ == Phase::stopping) return;
  if (phase_ == Phase::booting) miss_report("before it powered off");
  phase_ = Phase::stopping;
  // Only QEMU's own end is left, and it has as long as a guest would have had.
  arm(Timer::quit, schedule_.quit());
}

void Supervisor::handle(const event::QemuEnding& event) {
  if (!qemu_runs_ || phase_ == Phase::starting || std::exchange(qemu_is_ending_, true)) return;
  if (ending_on_schedule_) return arm_end_of_qemu();
  if (ending_ || restarting_) return;
  say(LogLevel::info, fmt::format("QEMU ends ({})", event.reason));
  if (phase_ == Phase::stopping) return;
  phase_ = Phase::stopping;
  arm(Timer::quit, schedule_.quit());
}

void Supervisor::handle(const event::MachineBroken& event) {
  if (phase_ != Phase::booting && phase_ != Phase::running) return;
  if (event.status == "internal-error" && phase_ != Phase::running && can_restart()) {
    restart_with_next("the machine stopped with 'internal-error'");
    end_qemu(SIGKILL);
    return;
  }
  if (event.status == "io-error") return pause_for_room();
  say(LogLevel::error, fmt::format("The machine stopped: QEMU's run state is '{}'", event.status));
  status_ = ExitStatus::failed;
  phase_ = Phase::stopping;
  quit_qemu();
}

void Supervisor::handle(const event::QemuEnded& event) {
  if (!qemu_runs_) return;
  qemu_runs_ = false;
  qemu_ending_ = event.ending;
  const bool is_starting = phase_ == Phase::starting && !restarting_;
  if (is_starting && !ending_ && !helpers_.empty()) {
    // Helpers end by themselves now; how they do tells whether one of them was the cause.
    arm(Timer::helpers, settling_time);
    return;
  }
  if (is_starting) {
    qemu_never_ready();
  } else if (!restarting_) {
    phase_ = Phase::stopping;
    settle_status();
  }
  end_helpers();
  finish_if_all_ended();
}

void Supervisor::handle(const event::HelperAdded& event) {
  helpers_[event.name] = event.serves;
}

void Supervisor::handle(const event::HelperReleased& event) {
  // Its end may have been told first.
  const auto was_suspect = std::erase_if(
      suspects_, [&](const Suspect& suspect) { return suspect.event.name == event.name; });
  if (was_suspect == 0) released_.insert(event.name);
}

void Supervisor::handle(const event::HelperEnded& event) {
  const auto found = helpers_.find(event.name);
  if (found == helpers_.end()) return;
  const bool expected = released_.erase(event.name) != 0;
  const auto serves = found->second;
  helpers_.erase(found);
  if (phase_ == Phase::stopping || restarting_ || expected) {
    if (qemu_runs_ && !ending_ && !expected && event.ending.failed) {
      report(fmt::format("{} died while the machine was stopping", event.name), event.ending);
    }
    finish_if_all_ended();
    return;
  }
  suspects_.push_back({event, serves});
  if (phase_ == Phase::starting && qemu_runs_) {
    end_qemu(SIGTERM);
  } else if (phase_ == Phase::starting && helpers_.empty()) {
    qemu_never_ready();
    finish_if_all_ended();
  } else if (event.ending.signal != 0) {
    helpers_died();
  } else if (qemu_runs_) {
    arm(Timer::helpers, suspicion_time);
  }
}

void Supervisor::start_attempt(std::size_t attempt) {
  phase_ = Phase::starting;
  attempt_ = attempt;
  qemu_runs_ = true;
  helpers_ = plan_.helpers;
  qemu_ending_.reset();
  suspects_.clear();
  monitor_closed_ = agent_ = paused_ = ending_ = helpers_killed_ = restarting_ = false;
  qemu_is_ending_ = gave_up_on_guest_ = false;
  actions_.emplace_back(action::Start{attempt});
  arm(Timer::start, plan_.start_timeout);
}

void Supervisor::await_guest() {
  // Its end also settles which accelerator stays, and what `status --wait` waits for.
  arm(Timer::report, boot_time());
}

void Supervisor::pause_for_room() {
  retried_ = false;
  if (!std::exchange(paused_, true)) {
    say(LogLevel::error,
        fmt::format("A disk of the host is full: the machine is paused, and tried again every {} s",
                    resume_interval.count()));
    say(LogLevel::error, "  hint: make room where the image, DATA_DIR and TMPDIR are");
  }
  arm(Timer::resume, resume_interval);
}

void Supervisor::helpers_died() {
  const bool keep = plan_.on_helper_exit == HelperExitPolicy::keep;
  for (const auto& suspect : std::exchange(suspects_, {})) {
    report(fmt::format("{} died", suspect.event.name), suspect.event.ending);
    say(LogLevel::error,
        fmt::format("Processes of the guest that use {} hang from now on; the machine {}",
                    suspect.serves, keep ? "goes on (ON_HELPER_EXIT=keep)" : "is stopped"));
  }
  status_ = ExitStatus::helper_died;
  if (!keep) begin_stop();
}

void Supervisor::qemu_never_ready() {
  const Ending& ending = *qemu_ending_;
  phase_ = Phase::stopping;
  const auto suspect = std::find_if(suspects_.begin(), suspects_.end(), [](const Suspect& helper) {
    return helper.event.ending.failed;
  });
  if (suspect != suspects_.end() && !crashed(ending)) {
    report(fmt::format("{} died before the machine ran", suspect->event.name),
           suspect->event.ending);
    status_ = ExitStatus::helper_died;
  } else if (can_restart() && (crashed(ending) || is_fault_of_kvm(ending))) {
    restart_with_next(fmt::format("QEMU died ({}): {}", ending.what, last_line(ending)));
  } else {
    report("QEMU died before the machine ran", ending);
    const bool kvm = plan_.attempts.at(attempt_) == Accelerator::kvm && is_fault_of_kvm(ending);
    if (kvm) say(LogLevel::error, "KVM does not work here; ACCEL=tcg runs without it, slowly");
    status_ = kvm ? ExitStatus::host_unsupported : ExitStatus::failed;
  }
}

std::chrono::seconds Supervisor::boot_time() const {
  // Twice what a Debian guest needs to cloud-init's first steps under emulation on a busy machine.
  return plan_.attempts.at(attempt_) == Accelerator::kvm ? 60s : 120s;
}

bool Supervisor::can_restart() const {
  return plan_.attempts.at(attempt_) == Accelerator::kvm && attempt_ + 1 < plan_.attempts.size() &&
         !stop_asked_ && !settled_;
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
  } else if (ending_on_schedule_ && !waits_for_guest_ && !qemu_was_killed_) {
    status_ = ExitStatus::ok;  // as asked
  } else if (ending_on_schedule_ && !waits_for_guest_) {
    say(LogLevel::error, "QEMU did not end in time and was killed");
    status_ = ExitStatus::stop_timeout;
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

void Supervisor::finish_if_all_ended() {
  if (qemu_runs_ || !helpers_.empty()) return;
  if (restarting_) {
    start_attempt(attempt_ + 1);
    return;
  }
  phase_ = Phase::stopped;
  actions_.emplace_back(action::Finish{status_.value_or(ExitStatus::ok)});
}

void Supervisor::arm(Timer timer, std::chrono::milliseconds after) {
  actions_.emplace_back(action::Arm{timer, after});
}

void Supervisor::disarm(Timer timer) {
  actions_.emplace_back(action::Disarm{timer});
}

void Supervisor::say(LogLevel level, std::string text) {
  actions_.emplace_back(action::Say{level, std::move(text)});
}

void Supervisor::report(const std::string& what, const Ending& ending) {
  say(LogLevel::error, fmt::format("{} ({})", what, ending.what));
  for (const auto& line : ending.last_lines) say(LogLevel::error, "  " + line);
  const auto diagnosis = diagnose(ending);
  if (!diagnosis) return;
  say(LogLevel::error, "  likely cause: " + diagnosis->cause);
  say(LogLevel::error, "  hint: " + diagnosis->hint);
}

}  // namespace vmr
