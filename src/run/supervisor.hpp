// SPDX-License-Identifier: MIT
// The life of one VM as a pure state machine: events in, actions out. No process, no clock. It is
// drawn in docs/architecture.md.
#pragma once

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/words.hpp"
#include "run/diagnosis.hpp"
#include "run/stop_schedule.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace vmr {

enum class Phase { starting, booting, running, stopping, stopped };

/// The deadlines it asks for.
enum class Timer {
  start,            ///< QEMU should have answered
  report,           ///< the guest should have said how mounting its shares went
  monitor,          ///< a QEMU that closed its monitor should have ended
  helpers,          ///< helpers should have followed QEMU, or QEMU a helper
  resume,           ///< a machine whose disk was full is tried again
  resumed,          ///< it goes on, unless it was paused again meanwhile
  powerdown_again,  ///< a guest that is still booting did not notice the power button
  agent,            ///< the guest should have reacted to the power button
  quit,             ///< the guest should have powered off
  terminate,        ///< QEMU should have quit
  kill,             ///< QEMU should have ended by SIGTERM
  abandon,          ///< QEMU should have ended by SIGKILL
};

namespace event {
/// A program could not be started; what was started before it has been ended.
struct StartFailed {
  bool helper = false;  ///< it was a helper
  std::string what;     ///< "cannot start qemu: /usr/bin/…: No such file or directory"
};
struct QmpReady {};       ///< QEMU has answered its first command
struct MonitorClosed {};  ///< by QEMU
struct GuestAnswered {};  ///< the guest has reported its mounts
struct AgentChanged {
  bool present = false;  ///< a guest agent listens
};
struct GuestRestarted {};
struct GuestPoweredOff {
  std::string reason;  ///< QMP's SHUTDOWN reason
};
struct QemuEnding {
  std::string reason;  ///< QMP's SHUTDOWN reason, where the guest did not power off
};
struct MachineBroken {
  std::string status;  ///< a run state that does not go on: "internal-error", "io-error", …
};
struct QemuEnded {
  Ending ending;
};
struct CallRefused {
  std::string call;  ///< a system call that the launcher gave up, and made all the same
};
struct HelperAdded {
  std::string name;
  std::string serves;  ///< as in SupervisorPlan::helpers
};
struct HelperReleased {
  std::string name;  ///< its end is expected, also one that was just told
};
struct HelperEnded {
  std::string name;
  Ending ending;
};
struct StopAsked {
  std::string by;    ///< "SIGTERM", "the console was left"
  bool now = false;  ///< without waiting for the guest
};
struct TimerFired {
  Timer timer;
};
}  // namespace event

using Event =
    std::variant<event::StartFailed, event::QmpReady, event::MonitorClosed, event::GuestAnswered,
                 event::AgentChanged, event::GuestRestarted, event::GuestPoweredOff,
                 event::QemuEnding, event::MachineBroken, event::QemuEnded, event::CallRefused,
                 event::HelperAdded, event::HelperReleased, event::HelperEnded, event::StopAsked,
                 event::TimerFired>;

namespace action {
struct Start {          ///< QEMU and every helper
  std::size_t attempt;  ///< index into LaunchPlan::attempts
  bool operator==(const Start&) const = default;
};
struct Powerdown {  ///< QMP system_powerdown
  bool operator==(const Powerdown&) const = default;
};
struct AgentShutdown {  ///< the guest agent's guest-shutdown
  bool operator==(const AgentShutdown&) const = default;
};
struct Continue {  ///< QMP cont
  bool operator==(const Continue&) const = default;
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
struct Abandon {  ///< what still runs is not waited for: not even SIGKILL ends it
  bool operator==(const Abandon&) const = default;
};
struct Arm {
  Timer timer;
  std::chrono::milliseconds after;
  bool operator==(const Arm&) const = default;
};
struct Disarm {
  Timer timer;
  bool operator==(const Disarm&) const = default;
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

using Action =
    std::variant<action::Start, action::Powerdown, action::AgentShutdown, action::Continue,
                 action::Quit, action::SignalQemu, action::SignalHelpers, action::Abandon,
                 action::Arm, action::Disarm, action::Say, action::Finish>;
using Actions = std::vector<Action>;

/// What the supervisor has to know of the plan.
struct SupervisorPlan {
  std::vector<Accelerator> attempts;
  /// By name, with what hangs in the guest without them: "/mnt/share (Filesystem #1)".
  std::map<std::string, std::string> helpers;
  std::chrono::milliseconds start_timeout{};
  std::chrono::milliseconds stop_timeout{};
  HelperExitPolicy on_helper_exit = HelperExitPolicy::stop;
  /// What a person types in the guest to mount its first share; empty: no report is expected.
  std::string mount_command{};
  std::uint64_t memory_mib = 0;  ///< of the guest, which takes its time to be given back
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

  /// Whether the machine runs, and no other will be started in its place.
  [[nodiscard]] bool is_settled() const {
    return (phase_ == Phase::booting || phase_ == Phase::running) && !can_restart();
  }

  /// The guest had its time to show that it is up, and did not.
  [[nodiscard]] bool gave_up_on_guest() const { return gave_up_on_guest_; }

  /// The guest restarts over and over and never comes up.
  [[nodiscard]] bool is_restart_loop() const { return restarts_ >= most_restarts_told; }

 private:
  /// A guest that restarts over and over is told of this often, since it may do so for ever.
  static constexpr int most_restarts_told = 5;

  /// A helper that has ended, and what it served.
  struct Suspect {
    event::HelperEnded event;
    std::string serves;
  };

  void handle(const event::StartFailed& event);
  void handle(const event::QmpReady&);
  void handle(const event::MonitorClosed&);
  void handle(const event::GuestAnswered&);
  void handle(const event::AgentChanged& event);
  void handle(const event::GuestRestarted&);
  void handle(const event::GuestPoweredOff& event);
  void handle(const event::QemuEnding& event);
  void handle(const event::MachineBroken& event);
  void handle(const event::QemuEnded& event);
  void handle(const event::CallRefused& event);
  void handle(const event::HelperAdded& event);
  void handle(const event::HelperReleased& event);
  void handle(const event::HelperEnded& event);
  void handle(const event::StopAsked& event);
  void handle(const event::TimerFired& event);

  // What the timers lead to; supervisor_timers.cpp.
  void give_up_starting();
  void give_up_monitor();
  void look_at_helpers();
  void escalate(Timer timer);
  void abandon_qemu();

  // How all of it ends; supervisor_stop.cpp.
  void end_qemu(int signal);
  void end_helpers();
  void begin_stop();
  void press_power_button();
  void use_agent(const std::string& text);
  void quit_qemu();
  void arm_end_of_qemu();
  /// `text` with the time that is left at the step `now` of a stop.
  [[nodiscard]] std::string with_time_left(const std::string& text, StopSchedule::Time now) const;

  void start_attempt(std::size_t attempt);
  void await_guest();
  void pause_for_room();
  void helpers_died();
  void qemu_never_ready();
  void restart_with_next(const std::string& why);
  void settle_status();
  void miss_report(const std::string& when);
  void finish_if_all_ended();
  void arm(Timer timer, std::chrono::milliseconds after);
  void disarm(Timer timer);
  void say(LogLevel level, std::string text);
  void report(const std::string& what, const Ending& ending);

  [[nodiscard]] bool can_restart() const;
  /// How long a guest may take from its start to its report.
  [[nodiscard]] std::chrono::seconds boot_time() const;

  SupervisorPlan plan_;
  StopSchedule schedule_;
  Phase phase_ = Phase::starting;
  std::size_t attempt_ = 0;
  bool qemu_runs_ = false;
  std::map<std::string, std::string> helpers_;  ///< those that run, as in the plan
  std::set<std::string> released_;              ///< those of them whose end is expected
  std::optional<Ending> qemu_ending_;
  std::vector<Suspect> suspects_;  ///< ended before QEMU did
  bool monitor_closed_ = false;    ///< by QEMU, which may be ending
  bool agent_ = false;             ///< a guest agent listens
  bool agent_is_due_ = false;      ///< the guest did not react to the power button
  bool paused_ = false;            ///< for want of room on a disk
  bool retried_ = false;           ///< and told to go on all the same
  int restarts_ = 0;               ///< of the guest, since it last answered
  bool settled_ = false;           ///< it has shown that it works, or had its time to
  bool gave_up_on_guest_ = false;  ///< it did not answer in its time
  bool powered_off_ = false;
  bool qemu_is_ending_ = false;  ///< by its own word: a closed monitor is a part of it
  bool stop_asked_ = false;
  bool waits_for_guest_ = true;      ///< a stop was asked for that does
  bool qemu_was_killed_ = false;     ///< by us, since it did not end
  bool ending_ = false;              ///< QEMU has been told to end, politely or not
  bool ending_on_schedule_ = false;  ///< as the last part of a stop
  bool helpers_killed_ = false;      ///< they have had their SIGKILL
  bool restarting_ = false;          ///< the next attempt follows when all have ended
  std::optional<ExitStatus> status_;
  Actions actions_;
};

}  // namespace vmr
