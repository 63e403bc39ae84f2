// SPDX-License-Identifier: MIT
#include "run/session.hpp"

#include "base/log.hpp"
#include "plan/seed.hpp"
#include "run/attempt.hpp"
#include "run/control.hpp"
#include "run/guest_reports.hpp"
#include "run/held_signals.hpp"
#include "run/prepare.hpp"
#include "run/runtime_folder.hpp"
#include "run/status.hpp"
#include "run/supervisor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <unistd.h>

namespace vmr {
namespace {

/// How long the console may still be written out when the machine is gone.
constexpr auto last_words_time = std::chrono::milliseconds(500);

SupervisorPlan supervisor_plan(const LaunchPlan& plan) {
  SupervisorPlan result;
  for (const auto& attempt : plan.attempts) result.attempts.push_back(attempt.accelerator);
  for (const auto& share : plan.shares) {
    if (share.helper) result.helpers.push_back(share.helper->name);
  }
  result.stop_timeout = plan.stop_timeout;
  if (plan.seed && !plan.shares.empty()) {
    result.mount_command = mount_command(plan.shares.front().share);
  }
  return result;
}

std::vector<Share> shares_of(const LaunchPlan& plan) {
  std::vector<Share> shares;
  for (const auto& share : plan.shares) shares.push_back(share.share);
  return shares;
}

Ending ending_of(const ChildExit& exit) {
  return {exit.signaled || exit.code != 0, exit.signaled ? exit.code : 0, describe(exit),
          exit.last_lines};
}

/// Whether what is typed here is meant for us: not in a background job of the terminal.
bool has_keyboard() {
  if (::isatty(STDIN_FILENO) != 1) return false;
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground == -1 || foreground == ::getpgrp();
}

ConsoleMode console_mode(const LaunchPlan& plan) {
  return {plan.console, plan.console && has_keyboard()};
}

/// Carries out what the Supervisor decides, and tells it what happens.
class Session {
 public:
  explicit Session(const LaunchPlan& plan)
      : plan_(plan),
        supervisor_(supervisor_plan(plan)),
        reports_(shares_of(plan)),
        signals_(context_, SIGTERM, SIGINT, SIGHUP) {
    signals_.add(SIGQUIT);
    release_stop_signals();
  }

  ExitStatus run() {
    folder_.emplace(plan_.paths.folder, plan_.vm_name);
    control_.emplace(context_.get_executor(), plan_.paths.control,
                     [this](const std::string& request) { return answer(request); });
    prepare_files(plan_);
    if (::getpid() == 1) reaper_.emplace(context_.get_executor());
    if (console_mode_.interactive) {
      log_info("The guest's console is here; Ctrl-] three times leaves it and stops the VM");
    }
    wait_for_signal();
    perform(supervisor_.start());
    context_.run();
    return status_;
  }

 private:
  void tell(const Event& event) { perform(supervisor_.on(event)); }

  void perform(const Actions& actions) {
    for (const auto& action : actions) {
      std::visit([this](const auto& which) { perform(which); }, action);
    }
  }

  void perform(const action::Start& start) {
    attempt_.reset();
    reports_ = GuestReports(shares_of(plan_));
    accelerator_ = plan_.attempts.at(start.attempt).accelerator;
    attempt_.emplace(context_.get_executor(), plan_, plan_.attempts.at(start.attempt),
                     console_mode_, handlers());
  }
  void perform(const action::Powerdown&) { attempt_->execute("system_powerdown"); }
  void perform(const action::Quit&) { attempt_->execute("quit"); }
  void perform(const action::SignalQemu& action) { attempt_->signal_qemu(action.signal); }
  void perform(const action::SignalHelpers& action) { attempt_->signal_helpers(action.signal); }
  void perform(const action::Say& action) { log(action.level, action.text); }
  void perform(const action::Arm& action) {
    auto [timer, is_new] = timers_.try_emplace(action.timer, context_);
    timer->second.expires_after(action.after);
    timer->second.async_wait([this, which = action.timer](boost::system::error_code cancelled) {
      if (!cancelled) tell(event::TimerFired{which});
    });
  }
  void perform(const action::Finish& action) {
    status_ = action.status;
    finished_ = true;
    if (console_ended_) return context_.stop();
    last_words_.expires_after(last_words_time);
    last_words_.async_wait([this](boost::system::error_code) { context_.stop(); });
  }

  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      tell(event::StopAsked{signal == SIGTERM  ? "SIGTERM"
                            : signal == SIGINT ? "SIGINT"
                            : signal == SIGHUP ? "SIGHUP"
                                               : "SIGQUIT"});
      wait_for_signal();
    });
  }

  AttemptHandlers handlers() {
    AttemptHandlers handlers;
    console_ended_ = false;
    handlers.qmp.ready = [this] {
      // Whatever happens to the launcher from here on, it leaves no file behind.
      remove_startup_files(plan_);
      attempt_->log_qemu_output();
      tell(event::QmpReady{});
      if (reports_.complete()) tell(event::GuestAnswered{});
    };
    handlers.qmp.shutdown = [this](bool guest, const std::string& reason) {
      if (guest && reason != "guest-reset") tell(event::GuestPoweredOff{reason});
    };
    handlers.qmp.stopped = [this](const std::string& status) {
      if (status == "internal-error" || status == "io-error" || status == "guest-panicked") {
        tell(event::MachineBroken{status});
      }
    };
    handlers.guest_report = [this](const std::string& line) { take_report(line); };
    handlers.console_left = [this] { tell(event::StopAsked{"the console was left"}); };
    handlers.console_ended = [this] {
      console_ended_ = true;
      if (finished_) context_.stop();
    };
    handlers.qemu_ended = [this](const ChildExit& exit) {
      tell(event::QemuEnded{ending_of(exit)});
    };
    handlers.helper_ended = [this](const std::string& name, const ChildExit& exit) {
      tell(event::HelperEnded{name, ending_of(exit)});
    };
    return handlers;
  }

  void take_report(const std::string& line) {
    if (const auto event = reports_.take(line)) log(event->level, event->text);
    if (reports_.complete()) tell(event::GuestAnswered{});
  }

  boost::json::object answer(const std::string& request) const {
    if (request != "status") throw Error(fmt::format("unknown request '{}'", request), "", "");
    const auto uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start_);
    const VmState state{supervisor_.phase(), accelerator_, uptime,
                        attempt_ ? attempt_->pids() : std::map<std::string, pid_t>{}};
    return {{"status", status_json(plan_, state, reports_)}};
  }

  const LaunchPlan& plan_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const ConsoleMode console_mode_ = console_mode(plan_);
  boost::asio::io_context context_{1};
  Supervisor supervisor_;
  GuestReports reports_;
  boost::asio::signal_set signals_;
  std::map<Timer, boost::asio::steady_timer> timers_;
  boost::asio::steady_timer last_words_{context_};
  std::optional<RuntimeFolder> folder_;
  std::optional<ControlServer> control_;
  std::optional<Reaper> reaper_;
  std::optional<Attempt> attempt_;
  Accelerator accelerator_ = Accelerator::tcg;  ///< of the present attempt
  ExitStatus status_ = ExitStatus::failed;
  bool console_ended_ = false;
  bool finished_ = false;
};

}  // namespace

ExitStatus run_session(const LaunchPlan& plan) {
  // A reader of our output that goes away must not take the guest with it.
  std::signal(SIGPIPE, SIG_IGN);
  return Session(plan).run();
}

}  // namespace vmr
