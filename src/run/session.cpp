// SPDX-License-Identifier: MIT
#include "run/session.hpp"

#include "base/log.hpp"
#include "host/oom_kills.hpp"
#include "plan/qemu_plan.hpp"
#include "run/agent_wait.hpp"
#include "run/attempt.hpp"
#include "run/control.hpp"
#include "run/deadlines.hpp"
#include "run/ending_of.hpp"
#include "run/give_back_memory.hpp"
#include "run/guarded.hpp"
#include "run/guest_reports.hpp"
#include "run/held_signals.hpp"
#include "run/lockdown.hpp"
#include "run/phase_text.hpp"
#include "run/prepare.hpp"
#include "run/service_state.hpp"
#include "run/status.hpp"
#include "run/status_requests.hpp"
#include "run/supervisor.hpp"
#include "run/supervisor_plan.hpp"
#include "run/terminal.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vmr {
namespace {

/// How long the console may still be written out when the machine is gone.
constexpr auto last_words_time = std::chrono::milliseconds(500);
/// Resets that follow each other this fast are one restart.
constexpr auto one_restart_time = std::chrono::milliseconds(500);

/// What `fault` tells, with the cause that an Error has.
std::string full_text(const std::exception& fault) {
  const auto* error = dynamic_cast<const Error*>(&fault);
  const std::string cause = error == nullptr ? "" : error->cause;
  return cause.empty() ? fault.what() : fmt::format("{}: {}", fault.what(), cause);
}

/// Carries out what the Supervisor decides, and tells it what happens.
class Session {
 public:
  Session(const LaunchPlan& plan, ShareSource shares)
      : plan_(plan),
        shares_(std::move(shares)),
        supervisor_(supervisor_plan(plan)),
        reports_(shares_of(plan)),
        signals_(context_),
        added_shares_({context_.get_executor(), &plan_, &reports_, shares_.resolve,
                       [this] { return attempt_ ? &*attempt_ : nullptr; },
                       [this](const Event& event) { tell(event); }}) {
    for (const int signal : stop_signals()) signals_.add(signal);
    release_stop_signals();
  }

  // Whoever asks once more while the last is cleared away must not change how all of it ended.
  ~Session() { hold_stop_signals(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ExitStatus run() {
    control_.emplace(
        context_.get_executor(), plan_.paths.control,
        [this](const auto& request) { take(request); },
        // Who has taken over one of them must not start more through us.
        [this](pid_t peer) { return !attempt_ || !attempt_->has_started(peer); });
    prepare_files(plan_);
    if (const auto& user = plan_.attempts.front().process.confinement.user) {
      give_files(plan_, *user);
    }
    if (::getpid() == 1) reaper_.emplace(context_.get_executor());
    if (console_mode_.interactive) {
      log_info("The guest's console is here; Ctrl-] three times leaves it and stops the VM");
    }
    wait_for_signal();
    service_.watch();
    perform(supervisor_.start());
    look_again();
    while (!guarded([this] { context_.run(); }) && !finished_) {
    }
    return status_;
  }

 private:
  void tell(const Event& event) {
    const auto before = supervisor_.phase();
    const auto actions = supervisor_.on(event);
    const auto now = supervisor_.phase();
    if (now != before) {
      log(LogLevel::debug, describe_step(uptime(), before, now, event),
          {{"state", std::string(word_for(now))}});
    }
    perform(actions);
    if (plan_.locks_down && !is_locked_down_ && supervisor_.is_settled()) lock_down();
    look_again();
  }

  void perform(const Actions& actions) {
    for (const auto& action : actions) {
      // One that fails does not keep the others from being done.
      guarded([&] { std::visit([this](const auto& which) { perform(which); }, action); });
    }
  }

  void perform(const action::Start& start) {
    const auto& qemu = plan_.attempts.at(start.attempt);
    added_shares_.clear();
    attempt_.reset();
    reports_ = GuestReports(shares_of(plan_));
    accelerator_ = qemu.accelerator;
    const bool is_started = try_start(false, [&] {
      attempt_.emplace(context_.get_executor(), plan_, qemu, console_mode_, viewers_, handlers());
      attempt_->start_qemu();
    });
    // QEMU needs longest, and comes to its helpers late.
    if (is_started) try_start(true, [&] { attempt_->start_helpers(); });
  }
  void perform(const action::Powerdown&) { attempt_->qmp().execute("system_powerdown"); }
  void perform(const action::AgentShutdown&) { attempt_->agent().shut_down(); }
  void perform(const action::Continue&) { attempt_->qmp().execute("cont"); }
  void perform(const action::Quit&) { attempt_->qmp().execute("quit"); }
  void perform(const action::SignalQemu& action) { attempt_->signal_qemu(action.signal); }
  void perform(const action::SignalHelpers& action) { attempt_->signal_helpers(action.signal); }
  void perform(const action::Abandon&) { attempt_->abandon(); }
  void perform(const action::Say& action) { log(action.level, action.text); }
  void perform(const action::Arm& action) { deadlines_.arm(action.timer, action.after); }
  void perform(const action::Disarm& action) { deadlines_.disarm(action.timer); }
  void perform(const action::Finish& action) {
    status_ = action.status;
    finished_ = true;
    for (const auto& request : std::exchange(stop_requests_, {})) {
      request->answer({{"status", static_cast<int>(status_)}});
    }
    if (console_ended_) return context_.stop();
    last_words_.expires_after(last_words_time);
    last_words_.async_wait([this](boost::system::error_code) { context_.stop(); });
  }

  /// Does a part of a start, or tells that it failed; nothing runs then.
  template <typename Start>
  bool try_start(bool helper, Start start) {
    try {
      start();
      return true;
    } catch (const std::exception& fault) {
      attempt_.reset();
      console_ended_ = true;
      tell(event::StartFailed{helper, full_text(fault)});
      return false;
    }
  }

  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      wait_for_signal();
      tell(event::StopAsked{signal == SIGTERM  ? "SIGTERM"
                            : signal == SIGINT ? "SIGINT"
                            : signal == SIGHUP ? "SIGHUP"
                                               : "SIGQUIT"});
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
    handlers.qmp.event = [this](const std::string& name, const boost::json::object& data) {
      take_qmp_event(name, data);
    };
    handlers.qmp.closed = [this] { tell(event::MonitorClosed{}); };
    handlers.guest_report = [this](const std::string& line) { take_report(line); };
    handlers.console_left = [this] { tell(event::StopAsked{"the console was left"}); };
    handlers.console_ended = [this] {
      console_ended_ = true;
      if (finished_) context_.stop();
    };
    handlers.qemu_ended = [this](const ChildExit& exit) {
      tell(event::QemuEnded{ending_of(exit, oom_kills_)});
    };
    handlers.helper_ended = [this](const std::string& name, const ChildExit& exit) {
      const auto ending = ending_of(exit, oom_kills_);
      if (!added_shares_.take_helper_end(name, ending)) tell(event::HelperEnded{name, ending});
    };
    return handlers;
  }

  void take_qmp_event(const std::string& name, const boost::json::object& data) {
    const auto reason = text_at(data, "reason");
    if (name == "SHUTDOWN" && is_true(data, "guest") && reason != "guest-reset") {
      tell(event::GuestPoweredOff{reason});
    } else if (name == "SHUTDOWN") {
      tell(event::QemuEnding{reason});
    } else if (name == "RESET" && is_true(data, "guest")) {
      take_reset();
    } else if (name == "STOP") {
      ask_qemu([this](const JsonAnswer& answer) { take_run_state(answer); });
    } else if (name == "VSERPORT_CHANGE" && text_at(data, "id") == agent_device) {
      attempt_->agent().set_present(is_true(data, "open"));
      tell(event::AgentChanged{attempt_->agent().is_present()});
      if (attempt_->agent().is_present()) added_shares_.mount_again();
      agent_wait_.set_present(attempt_->agent().is_present());
    } else if (name == "DEVICE_DELETED") {
      added_shares_.take_device_deleted(text_at(data, "device"));
    }
  }

  void take_reset() {
    // The firmware resets the machine once or twice more.
    const auto now = std::chrono::steady_clock::now();
    if (now < std::exchange(last_reset_, now) + one_restart_time) return;
    reports_.restart();
    agent_wait_.guest_restarts();
    tell(event::GuestRestarted{});
  }

  void take_run_state(const JsonAnswer& answer) {
    const auto* result = answer.result.if_object();
    const auto status = result != nullptr ? text_at(*result, "status") : "";
    if (status == "internal-error" || status == "io-error" || status == "guest-panicked") {
      tell(event::MachineBroken{status});
    }
  }

  /// Asks for the machine's run state; false while there is no QEMU to ask.
  bool ask_qemu(JsonSession::OnAnswer done) {
    const auto phase = supervisor_.phase();
    const bool is_there =
        phase == Phase::booting || phase == Phase::running || phase == Phase::stopping;
    if (is_there) attempt_->qmp().execute("query-status", {}, std::move(done));
    return is_there;
  }

  void take_report(const std::string& line) {
    if (const auto event = reports_.take(line)) log(event->level, event->text);
    if (const auto report = parse_guest_report(line)) added_shares_.take_report(*report);
    if (reports_.complete()) tell(event::GuestAnswered{});
    look_again();
  }

  void take(const std::shared_ptr<ControlRequest>& request) {
    const auto& name = request->name();
    if (name == "status") return status_requests_.take(request);
    if (name == "stop") {
      stop_requests_.push_back(request);
      return tell(event::StopAsked{"vm-runner stop", is_true(request->body(), "now")});
    }
    if (name == "console") return viewers_.attach(*request);
    if (name == "share-list") {
      return request->answer({{"shares", shares_json(state(), reports_)}});
    }
    if (name == "exec") {
      return with_agent(request, [this, request] { attempt_->guest_exec().start(request); });
    }
    if (name == "share-add") {
      return with_agent(request, [this, request] { added_shares_.add(request); });
    }
    if (name == "share-remove") return needs_machine(), added_shares_.remove(request);
    throw Error(fmt::format("unknown request '{}'", name), "", "");
  }

  /// Does what needs the guest agent as soon as there is one, or none is expected.
  void with_agent(const std::shared_ptr<ControlRequest>& request, std::function<void()> act) {
    needs_machine();
    agent_wait_.then(request, [this, act = std::move(act)] {
      needs_machine();
      act();
    });
  }

  /// Throws Error unless QEMU runs and is to go on.
  void needs_machine() const {
    const auto phase = supervisor_.phase();
    if (phase == Phase::booting || phase == Phase::running) return;
    throw Error(fmt::format("the VM is {}", word_for(phase)), "",
                "vm-runner status --wait waits until it is up");
  }

  std::chrono::milliseconds uptime() const {
    const auto time = std::chrono::steady_clock::now() - start_;
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
  }

  VmState state() const {
    VmState state{supervisor_.phase(), accelerator_, uptime(), {}, plan_.shares};
    for (auto& share : added_shares_.plans()) state.shares.push_back(std::move(share));
    if (attempt_) state.pids = attempt_->pids();
    if (attempt_) state.agent = attempt_->agent().is_present();
    state.wrote = viewers_.has_words();
    state.gave_up = supervisor_.gave_up_on_guest();
    state.restart_loop = supervisor_.is_restart_loop();
    return state;
  }

  /// Those who want to know how the VM is hear of it.
  void look_again() {
    status_requests_.look_again();
    const auto phase = supervisor_.phase();
    const bool is_up = phase == Phase::running || supervisor_.gave_up_on_guest();
    if (!std::exchange(was_up_, is_up) && is_up) agent_wait_.guest_is_up();
    service_.update(phase, accelerator_, plan_.seed.has_value());
  }

  /// Calls `then` when QEMU, if there is one, answers.
  void when_well(const std::function<void()>& then) {
    const bool asked = ask_qemu([then](const JsonAnswer& answer) {
      if (answer.ok()) then();
    });
    if (!asked) then();
  }

  /// From here on the launcher only watches over what runs.
  void lock_down() {
    is_locked_down_ = true;
    shares_.prepare();
    give_back_memory();
    const auto& user = plan_.attempts.front().process.confinement.user;
    try {
      lockdown_.emplace(context_.get_executor(),
                        LockdownNeeds{!plan_.hotplug_ports.empty(), user.has_value()},
                        [this](const std::string& call) { tell(event::CallRefused{call}); });
    } catch (const Error& error) {
      // The guest needs none of it.
      log_warn("{}: {}; the VM goes on", error.what(), error.cause);
    }
  }

  const LaunchPlan& plan_;
  const ShareSource shares_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_reset_{};
  const std::optional<std::uint64_t> oom_kills_ = count_oom_kills();
  const ConsoleMode console_mode_{plan_.console, plan_.console&& has_keyboard(), plan_.login_note};
  boost::asio::io_context context_{1};
  Supervisor supervisor_;
  GuestReports reports_;
  boost::asio::signal_set signals_;
  Deadlines deadlines_{context_, [this](Timer timer) { tell(event::TimerFired{timer}); }};
  boost::asio::steady_timer last_words_{context_};
  ServiceState service_{context_.get_executor(), [this](const auto& then) { when_well(then); }};
  bool was_up_ = false;  ///< the guest, or it had its time
  std::optional<Lockdown> lockdown_;
  bool is_locked_down_ = false;  ///< or tried to be
  StatusRequests status_requests_{
      context_.get_executor(),
      {[this] { return state(); }, &plan_, &reports_,
       [this](JsonSession::OnAnswer done) { return ask_qemu(std::move(done)); }}};
  AgentWait agent_wait_{context_.get_executor()};
  std::vector<std::shared_ptr<ControlRequest>> stop_requests_;
  std::optional<ControlServer> control_;
  std::optional<Reaper> reaper_;
  ConsoleViewers viewers_{context_.get_executor()};
  std::optional<Attempt> attempt_;
  AddedShares added_shares_;
  Accelerator accelerator_ = Accelerator::tcg;  ///< of the present attempt
  ExitStatus status_ = ExitStatus::failed;
  bool console_ended_ = false;
  bool finished_ = false;
};

}  // namespace

ExitStatus run_session(const LaunchPlan& plan, ShareSource shares) {
  // A reader of our output that goes away must not take the guest with it.
  std::signal(SIGPIPE, SIG_IGN);
  return Session(plan, std::move(shares)).run();
}

}  // namespace vmr
