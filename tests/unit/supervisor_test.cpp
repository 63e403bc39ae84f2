// SPDX-License-Identifier: MIT
// How a machine starts, stops and ends.
#include "support/supervisor_text.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a guest that powers off ends with status 0") {
  auto machine = supervisor();
  CHECK(text(machine.start()) == "start 0\narm start 60000\n");
  CHECK(machine.phase() == Phase::starting);
  CHECK(text(machine.on(event::QmpReady{})) ==
        "disarm start\ninfo: The machine runs (accelerator=tcg)\narm report 120000\n");
  CHECK(machine.phase() == Phase::booting);
  CHECK(text(machine.on(event::GuestAnswered{})) == "disarm report\n");
  CHECK(machine.phase() == Phase::running);
  CHECK(text(machine.on(event::GuestPoweredOff{"guest-shutdown"})) ==
        "info: The guest powered off\narm quit 6000\n");
  CHECK(text(machine.on(event::GuestPoweredOff{"guest-shutdown"})).empty());
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
    return Supervisor(
        {{accelerator}, {}, 60s, 8s, HelperExitPolicy::stop, "mount -t virtiofs s /mnt/s"});
  };

  auto slow = expecting(Accelerator::tcg);
  CHECK(after(slow, event::QmpReady{}) ==
        "disarm start\ninfo: The machine runs (accelerator=tcg)\narm report 120000\n");
  CHECK(text(slow.on(event::TimerFired{Timer::report})) == begin + "within 120 s" + end);
  CHECK(slow.phase() == Phase::booting);
  CHECK(text(slow.on(event::GuestAnswered{})) == "disarm report\n");
  CHECK(slow.phase() == Phase::running);

  auto prompt = expecting(Accelerator::kvm);
  CHECK(after(prompt, event::QmpReady{}) ==
        "disarm start\ninfo: The machine runs (accelerator=kvm)\narm report 60000\n");
  CHECK(text(prompt.on(event::GuestAnswered{})) == "disarm report\n");
  CHECK(text(prompt.on(event::TimerFired{Timer::report})).empty());
  CHECK(text(prompt.on(event::GuestPoweredOff{"guest-shutdown"})) ==
        "info: The guest powered off\narm quit 6000\n");

  auto gone = expecting(Accelerator::tcg);
  CHECK(after(gone, event::QmpReady{}, event::GuestPoweredOff{"guest-shutdown"}) ==
        "info: The guest powered off\n" + begin + "before it powered off" + end +
            "arm quit 6000\n");

  auto stopped = expecting(Accelerator::tcg);
  CHECK(after(stopped, event::QmpReady{}, event::StopAsked{"SIGTERM"},
              event::TimerFired{Timer::report})
            .empty());
}

TEST_CASE("a stop presses the power button and escalates within the budget") {
  auto machine = supervisor();
  CHECK(after(machine, event::QmpReady{}, event::StopAsked{"SIGTERM"}) ==
        "info: Stopping (SIGTERM): the guest has 8 s to power off\n" + stop_begins);
  CHECK(text(machine.on(event::TimerFired{Timer::powerdown_again})) ==
        "powerdown\narm powerdown-again 5000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::quit})) ==
        "warn: The guest did not power off in time: QEMU is told to quit (2.0 s left)\n" + quit);
  CHECK(text(machine.on(event::TimerFired{Timer::powerdown_again})).empty());
  CHECK(text(machine.on(event::TimerFired{Timer::terminate})) ==
        "warn: QEMU does not answer: SIGTERM (1.3 s left)\nqemu 15\n");
  CHECK(text(machine.on(event::TimerFired{Timer::kill})) ==
        "warn: QEMU does not end: SIGKILL (0.7 s left)\nqemu 9\narm abandon 5000\n");
  CHECK(text(machine.on(event::QemuEnded{killed})) ==
        "error: The guest did not stop in time and was killed\n"
        "helpers 15\narm helpers 1000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::helpers})) == "helpers 9\narm helpers 5000\n");
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

TEST_CASE("a stop between two attempts is the end") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
  after(machine, event::QemuEnded{aborted}, event::TimerFired{Timer::helpers});
  CHECK(text(machine.on(event::StopAsked{"SIGTERM"}))
            .starts_with("info: Stopping before the machine runs (SIGTERM)\n"));
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", killed})) == "finish 0\n");
}

TEST_CASE("a guest that ignores the power button is told by its agent") {
  SUBCASE("in time") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::AgentChanged{true}, event::StopAsked{"SIGTERM"},
                event::TimerFired{Timer::agent}) ==
          "info: The guest has not powered off yet: its agent is told to shut it down (6.0 s "
          "left)\nagent shutdown\n");
  }
  SUBCASE("as soon as it has one") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::StopAsked{"SIGTERM"},
                event::TimerFired{Timer::agent})
              .empty());
    CHECK(text(machine.on(event::AgentChanged{true})) ==
          "info: The guest has an agent now: it is told to shut it down\nagent shutdown\n");
    CHECK(text(machine.on(event::AgentChanged{true})).empty());
  }
  SUBCASE("not when it has powered off") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::AgentChanged{true}, event::StopAsked{"SIGTERM"},
                event::GuestPoweredOff{"guest-shutdown"}, event::TimerFired{Timer::agent})
              .empty());
  }
}

TEST_CASE("a stop that is asked for now does not wait for the guest") {
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::StopAsked{"vm-runner stop", true}) ==
        "warn: Stopping (vm-runner stop) without waiting for the guest\n" + quit);
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 0\n");

  auto hanging = supervisor({Accelerator::tcg}, {});
  after(hanging, event::QmpReady{}, event::StopAsked{"vm-runner stop", true},
        event::TimerFired{Timer::kill});
  CHECK(text(hanging.on(event::QemuEnded{killed})) ==
        "error: QEMU did not end in time and was killed\nfinish 5\n");

  auto later = supervisor({Accelerator::tcg}, {});
  CHECK(after(later, event::QmpReady{}, event::StopAsked{"SIGTERM"},
              event::StopAsked{"vm-runner stop", true}) ==
        "warn: Asked to stop again (vm-runner stop): not waiting any longer\n" + quit);
  CHECK(text(later.on(event::QemuEnded{clean})) == "finish 0\n");

  auto too_late = supervisor({Accelerator::tcg}, {});
  after(too_late, event::QmpReady{}, event::StopAsked{"SIGTERM"}, event::TimerFired{Timer::quit},
        event::StopAsked{"vm-runner stop", true});
  CHECK(text(too_late.on(event::QemuEnded{clean})) ==
        "error: The guest did not stop in time and was killed\nfinish 5\n");
}

TEST_CASE("an orderly end may take as long as the guest's memory is given back") {
  const auto with_memory = [](std::uint64_t mib) {
    return Supervisor({{Accelerator::tcg}, one_helper, 60s, 8s, HelperExitPolicy::stop, "", mib});
  };
  const std::string longer_quit = "arm terminate 9762\narm kill 10429\n";

  SUBCASE("after the guest's power-off") {
    auto machine = with_memory(4096);
    CHECK(after(machine, event::QmpReady{}, event::GuestPoweredOff{"guest-shutdown"}) ==
          "info: The guest powered off\narm quit 6000\n");
    CHECK(text(machine.on(event::MonitorClosed{})).empty());
    CHECK(text(machine.on(event::TimerFired{Timer::monitor})).empty());
    CHECK(text(machine.on(event::TimerFired{Timer::quit})) == "quit\n" + longer_quit);
    CHECK(text(machine.on(event::TimerFired{Timer::terminate})) ==
          "warn: QEMU does not end: SIGTERM\nqemu 15\n");
    CHECK(text(machine.on(event::TimerFired{Timer::kill})) ==
          "warn: QEMU does not end: SIGKILL\nqemu 9\narm abandon 9096\n");
    CHECK(text(machine.on(event::QemuEnded{killed})) == "helpers 15\narm helpers 1000\n");
    CHECK(text(machine.on(event::TimerFired{Timer::helpers})) == "helpers 9\narm helpers 9096\n");
    CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", killed})) == "finish 0\n");
  }
  SUBCASE("after a quit that QEMU follows") {
    auto machine = with_memory(4096);
    CHECK(after(machine, event::QmpReady{}, event::StopAsked{"vm-runner stop", true}) ==
          "warn: Stopping (vm-runner stop) without waiting for the guest\n" + quit);
    CHECK(text(machine.on(event::QemuEnding{"host-qmp-quit"})) == longer_quit);
    CHECK(text(machine.on(event::MonitorClosed{})).empty());
  }
  SUBCASE("after a quit without a word but a closed monitor") {
    auto machine = with_memory(4096);
    after(machine, event::QmpReady{}, event::StopAsked{"vm-runner stop", true});
    CHECK(text(machine.on(event::MonitorClosed{})) == longer_quit);
  }
  SUBCASE("when somebody else has told QEMU to end") {
    auto machine = with_memory(4096);
    CHECK(after(machine, event::QmpReady{}, event::QemuEnding{"host-signal"}) ==
          "info: QEMU ends (host-signal)\narm quit 6000\n");
    CHECK(text(machine.on(event::MonitorClosed{})).empty());
    CHECK(text(machine.on(event::QemuEnded{clean})) == "helpers 15\narm helpers 1000\n");
    CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", clean})) == "finish 0\n");
  }
}

TEST_CASE("a guest that restarts has to report again and is told of a few times") {
  const std::string restarts = "info: The guest restarts\n";
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::GuestAnswered{}, event::GuestRestarted{}) ==
        restarts + "arm report 120000\n");
  CHECK(machine.phase() == Phase::booting);
  for (int i = 2; i < 5; ++i) {
    CHECK(text(machine.on(event::GuestRestarted{})) == restarts);
    CHECK_FALSE(machine.is_restart_loop());
  }
  CHECK(text(machine.on(event::GuestRestarted{})) ==
        "warn: The guest has restarted 5 times and never came up: its console tells why\n");
  CHECK(machine.is_restart_loop());
  CHECK(text(machine.on(event::GuestRestarted{})).empty());
  CHECK(text(machine.on(event::GuestAnswered{})) == "disarm report\n");
  CHECK(machine.phase() == Phase::running);
  CHECK_FALSE(machine.is_restart_loop());
  CHECK(text(machine.on(event::GuestRestarted{})) == restarts + "arm report 120000\n");
}

TEST_CASE("a guest has a time to show that it is up") {
  auto machine = supervisor({Accelerator::tcg}, {});
  after(machine, event::QmpReady{}, event::GuestRestarted{});
  CHECK_FALSE(machine.gave_up_on_guest());
  CHECK(text(machine.on(event::TimerFired{Timer::report})).empty());
  CHECK(machine.gave_up_on_guest());
  machine.on(event::GuestAnswered{});
  CHECK_FALSE(machine.gave_up_on_guest());
  machine.on(event::TimerFired{Timer::report});
  CHECK_FALSE(machine.gave_up_on_guest());
}

}  // namespace
}  // namespace vmr::test
