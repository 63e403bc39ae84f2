// SPDX-License-Identifier: MIT
#include "run/supervisor.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>

namespace {

using namespace vmr;
using namespace std::chrono_literals;

Supervisor supervisor(std::vector<Accelerator> attempts = {Accelerator::tcg},
                      std::vector<std::string> helpers = {"virtiofsd-1"}) {
  return Supervisor({std::move(attempts), std::move(helpers), 8s});
}

const Ending clean{false, 0, "exit status 0", {}};
const Ending killed{true, SIGKILL, "signal 9 (Killed)", {}};
const Ending refused{true, 0, "exit status 1", {"unshare(CLONE_FS) failed with EPERM"}};
const Ending aborted{true, SIGABRT, "signal 6 (Aborted)", {"kvm_buf_set_msrs: Assertion failed."}};

/// Actions as text, one a line: whole sequences are compared.
struct Printer {
  std::string operator()(const action::Start& a) { return fmt::format("start {}", a.attempt); }
  std::string operator()(const action::Powerdown&) { return "powerdown"; }
  std::string operator()(const action::Quit&) { return "quit"; }
  std::string operator()(const action::SignalQemu& a) { return fmt::format("qemu {}", a.signal); }
  std::string operator()(const action::SignalHelpers& a) {
    return fmt::format("helpers {}", a.signal);
  }
  std::string operator()(const action::Arm& a) {
    constexpr const char* names[] = {"powerdown-again", "quit",  "terminate", "kill",
                                     "helpers",         "report"};
    return fmt::format("arm {} {}", names[static_cast<int>(a.timer)], a.after.count());
  }
  std::string operator()(const action::Say& a) {
    constexpr const char* names[] = {"debug", "info", "warn", "error"};
    return fmt::format("{}: {}", names[static_cast<int>(a.level)], a.text);
  }
  std::string operator()(const action::Finish& a) {
    return fmt::format("finish {}", static_cast<int>(a.status));
  }
};

std::string text(const Actions& actions) {
  std::string lines;
  for (const auto& action : actions) lines += std::visit(Printer{}, action) + "\n";
  return lines;
}

/// Feeds `events` and returns what the last one led to.
template <typename... Events>
std::string after(Supervisor& machine, const Events&... events) {
  Actions last = machine.start();
  ((last = machine.on(events)), ...);
  return text(last);
}

const std::string time_to_power_off = "arm quit 6000\n";
const std::string quit = "quit\narm terminate 666\narm kill 1333\n";

}  // namespace

TEST_CASE("a guest that powers off ends with status 0") {
  auto machine = supervisor();
  CHECK(text(machine.start()) == "start 0\n");
  CHECK(text(machine.on(event::QmpReady{})) == "info: The machine runs (accelerator=tcg)\n");
  CHECK(machine.phase() == Phase::booting);
  CHECK(text(machine.on(event::GuestAnswered{})).empty());
  CHECK(machine.phase() == Phase::running);
  CHECK(text(machine.on(event::GuestPoweredOff{"guest-shutdown"})) ==
        "info: The guest powered off\n" + time_to_power_off);
  CHECK(text(machine.on(event::QemuEnded{clean})) == "helpers 15\narm helpers 1000\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", clean})) == "finish 0\n");
  CHECK(machine.phase() == Phase::stopped);
  CHECK(text(machine.on(event::StopAsked{"SIGTERM"})).empty());
}

TEST_CASE("a guest that does not say how its mounts went costs one warning") {
  const std::string begin = "warn: The guest did not say ";
  const std::string end =
      " whether its shares are mounted: it is slow, or it does not run cloud-init (by hand, in the "
      "guest: mount -t virtiofs s /mnt/s)\n";
  const auto expecting = [](Accelerator accelerator) {
    return Supervisor({{accelerator}, {}, 8s, "mount -t virtiofs s /mnt/s"});
  };

  auto slow = expecting(Accelerator::tcg);
  CHECK(after(slow, event::QmpReady{}) ==
        "info: The machine runs (accelerator=tcg)\narm report 120000\n");
  CHECK(text(slow.on(event::TimerFired{Timer::report})) == begin + "within 120 s" + end);
  CHECK(slow.phase() == Phase::booting);
  CHECK(text(slow.on(event::GuestAnswered{})).empty());
  CHECK(slow.phase() == Phase::running);

  auto prompt = expecting(Accelerator::kvm);
  CHECK(after(prompt, event::QmpReady{}) ==
        "info: The machine runs (accelerator=kvm)\narm report 60000\n");
  CHECK(text(prompt.on(event::GuestAnswered{})).empty());
  CHECK(text(prompt.on(event::TimerFired{Timer::report})).empty());
  CHECK(text(prompt.on(event::GuestPoweredOff{"guest-shutdown"})) ==
        "info: The guest powered off\n" + time_to_power_off);

  auto gone = expecting(Accelerator::tcg);
  CHECK(after(gone, event::QmpReady{}, event::GuestPoweredOff{"guest-shutdown"}) ==
        "info: The guest powered off\n" + begin + "before it powered off" + end +
            time_to_power_off);

  auto stopped = expecting(Accelerator::tcg);
  CHECK(after(stopped, event::QmpReady{}, event::StopAsked{"SIGTERM"},
              event::TimerFired{Timer::report})
            .empty());
}

TEST_CASE("a stop presses the power button and escalates within the budget") {
  auto machine = supervisor();
  CHECK(after(machine, event::QmpReady{}, event::StopAsked{"SIGTERM"}) ==
        "info: Stopping (SIGTERM): the guest has 8 s to power off\n"
        "powerdown\narm powerdown-again 5000\n" +
            time_to_power_off);
  CHECK(text(machine.on(event::TimerFired{Timer::powerdown_again})) ==
        "powerdown\narm powerdown-again 5000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::quit})) ==
        "warn: The guest did not power off in time: QEMU is told to quit\n" + quit);
  CHECK(text(machine.on(event::TimerFired{Timer::powerdown_again})).empty());
  CHECK(text(machine.on(event::TimerFired{Timer::terminate})) ==
        "warn: QEMU does not answer: SIGTERM\nqemu 15\n");
  CHECK(text(machine.on(event::TimerFired{Timer::kill})) ==
        "warn: QEMU does not end: SIGKILL\nqemu 9\n");
  CHECK(text(machine.on(event::QemuEnded{killed})) ==
        "error: The guest did not stop in time and was killed\n"
        "helpers 15\narm helpers 1000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::helpers})) == "helpers 9\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", killed})) == "finish 5\n");
}

TEST_CASE("a guest that powers off when asked ends with status 0") {
  auto machine = supervisor({Accelerator::kvm}, {});
  CHECK(after(machine, event::QmpReady{}, event::StopAsked{"SIGTERM"},
              event::GuestPoweredOff{"guest-shutdown"}) == "info: The guest powered off\n");
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 0\n");
}

TEST_CASE("a second stop does not wait for the guest") {
  auto machine = supervisor();
  CHECK(after(machine, event::QmpReady{}, event::StopAsked{"SIGINT"}, event::StopAsked{"SIGINT"}) ==
        "warn: Asked to stop again (SIGINT): not waiting any longer\n" + quit);
  CHECK(text(machine.on(event::StopAsked{"SIGINT"})) ==
        "warn: Asked to stop again (SIGINT): not waiting any longer\n");
}

TEST_CASE("a stop before the machine runs ends QEMU at once") {
  auto machine = supervisor();
  CHECK(after(machine, event::StopAsked{"SIGTERM"}) ==
        "info: Stopping before the machine runs (SIGTERM)\n"
        "qemu 15\narm kill 1000\nhelpers 15\narm helpers 1000\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", clean})).empty());
  CHECK(text(machine.on(event::QemuEnded{killed})) == "finish 0\n");
}

TEST_CASE("QEMU that aborts under KVM is started again under TCG") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
  CHECK(after(machine, event::QemuEnded{aborted}) == "arm helpers 500\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", refused})) ==
        "warn: KVM does not work here, the guest runs under tcg instead, many times slower: "
        "QEMU died (signal 6 (Aborted)): kvm_buf_set_msrs: Assertion failed.\n"
        "start 1\n");
  CHECK(machine.phase() == Phase::starting);
  CHECK(text(machine.on(event::QmpReady{})) == "info: The machine runs (accelerator=tcg)\n");
}

TEST_CASE("a helper that does not follow QEMU is ended before the next attempt") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
  CHECK(after(machine, event::QemuEnded{aborted}, event::TimerFired{Timer::helpers}) ==
        "warn: KVM does not work here, the guest runs under tcg instead, many times slower: "
        "QEMU died (signal 6 (Aborted)): kvm_buf_set_msrs: Assertion failed.\n"
        "helpers 15\narm helpers 1000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::helpers})) == "helpers 9\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", killed})) == "start 1\n");
}

TEST_CASE("QEMU that aborts under the only accelerator is reported") {
  auto machine = supervisor({Accelerator::kvm}, {});
  CHECK(after(machine, event::QemuEnded{aborted}) ==
        "error: QEMU died before the machine ran (signal 6 (Aborted))\n"
        "error:   kvm_buf_set_msrs: Assertion failed.\n"
        "error: KVM does not work here; ACCEL=tcg runs without it, slowly\n"
        "finish 3\n");
}

TEST_CASE("QEMU that fails before it is ready under TCG ends with status 1") {
  auto machine = supervisor({Accelerator::tcg}, {});
  const Ending ending{true, 0, "exit status 1", {"qemu: -m: bad"}};
  CHECK(after(machine, event::QemuEnded{ending}) ==
        "error: QEMU died before the machine ran (exit status 1)\n"
        "error:   qemu: -m: bad\n"
        "finish 1\n");
}

TEST_CASE("a QEMU that refuses its arguments is not blamed on KVM") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg}, {});
  const Ending ending{true, 0, "exit status 1", {"qemu: -bogus: invalid option"}};
  CHECK(after(machine, event::QemuEnded{ending}) ==
        "error: QEMU died before the machine ran (exit status 1)\n"
        "error:   qemu: -bogus: invalid option\n"
        "finish 1\n");
}

TEST_CASE("a helper that fails before the machine runs is blamed whichever ends first") {
  const std::string blame =
      "error: virtiofsd-1 died before the machine ran (exit status 1)\n"
      "error:   unshare(CLONE_FS) failed with EPERM\n"
      "finish 4\n";
  const Ending disconnected{true, 0, "exit status 1", {"Failed to connect"}};
  SUBCASE("the helper") {
    auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
    CHECK(after(machine, event::HelperEnded{"virtiofsd-1", refused}) == "qemu 15\narm kill 1000\n");
    CHECK(text(machine.on(event::QemuEnded{disconnected})) == blame);
  }
  SUBCASE("QEMU") {
    auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
    CHECK(after(machine, event::QemuEnded{disconnected}) == "arm helpers 500\n");
    CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", refused})) == blame);
  }
}

TEST_CASE("a helper that is killed while the guest runs stops the machine with status 4") {
  auto machine = supervisor();
  CHECK(after(machine, event::QmpReady{}, event::HelperEnded{"virtiofsd-1", killed}) ==
        "error: virtiofsd-1 died (signal 9 (Killed))\n"
        "error: Processes of the guest that use this share hang from now on; the machine is "
        "stopped\n"
        "powerdown\narm powerdown-again 5000\n" +
            time_to_power_off);
  CHECK(text(machine.on(event::GuestPoweredOff{"guest-shutdown"})) ==
        "info: The guest powered off\n");
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 4\n");
}

TEST_CASE("a helper that exits may only be following QEMU") {
  auto machine = supervisor();
  SUBCASE("QEMU ended") {
    CHECK(after(machine, event::QmpReady{}, event::HelperEnded{"virtiofsd-1", clean}) ==
          "arm helpers 50\n");
    CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 0\n");
  }
  SUBCASE("QEMU still runs") {
    CHECK(after(machine, event::QmpReady{}, event::HelperEnded{"virtiofsd-1", clean},
                event::TimerFired{Timer::helpers})
              .starts_with("error: virtiofsd-1 died (exit status 0)\n"));
  }
}

TEST_CASE("QEMU that crashes while the guest runs ends with status 1") {
  auto machine = supervisor({Accelerator::tcg}, {});
  const Ending crash{true, SIGSEGV, "signal 11 (Segmentation fault)", {"last words"}};
  CHECK(after(machine, event::QmpReady{}, event::QemuEnded{crash}) ==
        "error: QEMU died (signal 11 (Segmentation fault))\n"
        "error:   last words\n"
        "finish 1\n");
}

TEST_CASE("an internal error of KVM while booting leads to TCG") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::MachineBroken{"internal-error"}) ==
        "warn: KVM does not work here, the guest runs under tcg instead, many times slower: "
        "the machine stopped with 'internal-error'\n"
        "qemu 9\narm kill 1000\n");
  CHECK(text(machine.on(event::QemuEnded{killed})) == "start 1\n");
}

TEST_CASE("a machine that broke is ended with status 1") {
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::MachineBroken{"internal-error"}) ==
        "error: The machine stopped: QEMU's run state is 'internal-error'\n" + quit);
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 1\n");
}

TEST_CASE("a machine paused by an I/O error may go on") {
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::MachineBroken{"io-error"}) ==
        "error: The machine stopped: QEMU's run state is 'io-error'\n");
  CHECK(machine.phase() == Phase::booting);
}

TEST_CASE("a kernel panic ends with status 1") {
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::GuestPoweredOff{"guest-panic"}) ==
        "error: The guest's kernel panicked\n" + time_to_power_off);
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 1\n");
}

TEST_CASE("every event is defined in every phase and the end is always reached") {
  const std::vector<Event> events = {event::QmpReady{},
                                     event::GuestAnswered{},
                                     event::GuestPoweredOff{"guest-shutdown"},
                                     event::MachineBroken{"internal-error"},
                                     event::QemuEnded{clean},
                                     event::QemuEnded{aborted},
                                     event::HelperEnded{"virtiofsd-1", killed},
                                     event::HelperEnded{"virtiofsd-1", clean},
                                     event::StopAsked{"SIGTERM"},
                                     event::TimerFired{Timer::quit},
                                     event::TimerFired{Timer::terminate},
                                     event::TimerFired{Timer::kill},
                                     event::TimerFired{Timer::helpers},
                                     event::TimerFired{Timer::powerdown_again}};
  // Every sequence of three events, then what surely ends all children.
  for (const auto& first : events) {
    for (const auto& second : events) {
      for (const auto& third : events) {
        auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
        machine.start();
        for (const auto& event : {first, second, third}) machine.on(event);
        for (int attempt = 0; attempt < 2 && machine.phase() != Phase::stopped; ++attempt) {
          machine.on(event::StopAsked{"SIGTERM"});
          machine.on(event::QemuEnded{killed});
          machine.on(event::TimerFired{Timer::helpers});
          machine.on(event::HelperEnded{"virtiofsd-1", killed});
        }
        CHECK(machine.phase() == Phase::stopped);
      }
    }
  }
}
