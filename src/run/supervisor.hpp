// SPDX-License-Identifier: MIT
// The life of one VM as a pure state machine: events in, actions out. No process, no clock.
//
//   starting ──QmpReady──▶ booting ──GuestAnswered──▶ running
//      │                     │                           │
//      └──────────── StopAsked, a death, guest poweroff ─┴──▶ stopping ──all ended──▶ stopped
//
// `starting` is entered again with the next accelerator when QEMU dies there.
#pragma once

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/words.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace vmr {

enum class Phase { starting, booting, running, stopping, stopped };

/// The deadlines it asks for. `powerdown_again` repeats the press of the power button, which a
/// guest that is still booting does not notice; `report` is when a guest should have said how
/// mounting its shares went.
enum class Timer { powerdown_again, quit, terminate, kill, helpers, report };

/// How a process ended; `what` and `last_lines` are for people.
struct Ending {
  bool failed = false;  ///< anything but exit status 0
  int signal = 0;       ///< the signal that ended it, or 0
  std::string what;     ///< "exit status 1", "signal 6 (Aborted)"
  std::vector<std::string> last_lines;
};

namespace event {
struct QmpReady {};       ///< QEMU has answered its first command
struct GuestAnswered {};  ///< the guest has reported its mounts
struct GuestPoweredOff {
  std::string reason;  ///< QMP's SHUTDOWN reason
};
struct MachineBroken {
  std::string status;  ///< a run state that does not go on: "internal-error", "io-error", …
};
struct QemuEnded {
  Ending ending;
};
struct HelperEnded {
  std::string name;
  Ending ending;
};
struct StopAsked {
  std::string by;  ///< "SIGTERM", "the console"
};
struct TimerFired {
  Timer timer;
};
}  // namespace event

using Event = std::variant<event::QmpReady, event::GuestAnswered, event::GuestPoweredOff,
                           event::MachineBroken, event::QemuEnded, event::HelperEnded,
                           event::StopAsked, event::TimerFired>;

namespace action {
struct Start {
  std::size_t attempt;  ///< index into LaunchPlan::attempts: helpers, then QEMU
  bool operator==(const Start&) const = default;
};
struct Powerdown {  ///< QMP system_powerdown
  bool operator==(const Powerdown&) const = default;
};
struct Quit {  ///< QMP quit
  bool operator==(const Quit&) const = default;
};
struct SignalQemu {
  int signal;
  bool operator==(const SignalQemu&) const = default;
};
struct SignalHelpers {
  int signal;
  bool operator==(const SignalHelpers&) const = default;
};
struct Arm {
  Timer timer;
  std::chrono::milliseconds after;
  bool operator==(const Arm&) const = default;
};
struct Say {
  LogLevel level;
  std::string text;
  bool operator==(const Say&) const = default;
};
struct Finish {
  ExitStatus status;
  bool operator==(const Finish&) const = default;
};
}  // namespace action

using Action = std::variant<action::Start, action::Powerdown, action::Quit, action::SignalQemu,
                            action::SignalHelpers, action::Arm, action::Say, action::Finish>;
using Actions = std::vector<Action>;

/// What the supervisor has to know of the plan.
struct SupervisorPlan {
  std::vector<Accelerator> attempts;
  std::vector<std::string> helpers;
  std::chrono::milliseconds stop_timeout{};
  /// What a person types in the guest to mount its first share; empty: no report is expected.
  std::string mount_command{};
};

/// Decides what happens next; the one who calls it executes the actions in order. Every event is
/// defined in every phase; after Finish all events are ignored.
class Supervisor {
 public:
  explicit Supervisor(SupervisorPlan plan);

  /// The first actions.
  Actions start();
  Actions on(const Event& event);

  [[nodiscard]] Phase phase() const { return phase_; }

 private:
  void handle(const event::QmpReady&);
  void handle(const event::GuestAnswered&);
  void handle(const event::GuestPoweredOff& event);
  void handle(const event::MachineBroken& event);
  void handle(const event::QemuEnded& event);
  void handle(const event::HelperEnded& event);
  void handle(const event::StopAsked& event);
  void handle(const event::TimerFired& event);

  void start_attempt(std::size_t attempt);
  void end_qemu(int signal);
  void press_power_button();
  void give_time_to_power_off();
  void quit_qemu();
  void helper_died(const event::HelperEnded& event);
  void qemu_never_ready();
  void restart_with_next(const std::string& why);
  void settle_status();
  void miss_report(const std::string& when);
  void end_helpers();
  void finish_if_all_ended();
  void say(LogLevel level, std::string text);
  void report(const std::string& what, const Ending& ending);

  [[nodiscard]] bool can_restart() const;
  /// The end of the stop timeout, which is for QEMU and the helpers themselves.
  [[nodiscard]] std::chrono::milliseconds reserve() const;

  SupervisorPlan plan_;
  Phase phase_ = Phase::starting;
  std::size_t attempt_ = 0;
  bool qemu_runs_ = false;
  std::set<std::string> helpers_;  ///< those that run
  std::optional<Ending> qemu_ending_;
  std::optional<event::HelperEnded> suspect_;  ///< a helper that ended before QEMU did
  bool powered_off_ = false;
  bool stop_asked_ = false;
  bool ending_ = false;      ///< QEMU has been told to end, politely or not
  bool restarting_ = false;  ///< the next attempt follows when all have ended
  std::optional<ExitStatus> status_;
  Actions actions_;
};

}  // namespace vmr
