// SPDX-License-Identifier: MIT
// What the supervisor makes of each fault.
#include "support/supervisor_text.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("QEMU that aborts under KVM is started again under TCG") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
  CHECK(after(machine, event::QemuEnded{aborted}) == "arm helpers 500\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", refused})) ==
        "warn: KVM does not work here, the guest runs under tcg instead, many times slower: "
        "QEMU died (signal 6 (Aborted)): kvm_buf_set_msrs: Assertion failed.\n"
        "start 1\narm start 60000\n");
  CHECK(machine.phase() == Phase::starting);
  CHECK(text(machine.on(event::QmpReady{})) ==
        "disarm start\ninfo: The machine runs (accelerator=tcg)\narm report 120000\n");
}

TEST_CASE("a helper that does not follow QEMU is ended before the next attempt") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
  CHECK(after(machine, event::QemuEnded{aborted}, event::TimerFired{Timer::helpers}) ==
        "warn: KVM does not work here, the guest runs under tcg instead, many times slower: "
        "QEMU died (signal 6 (Aborted)): kvm_buf_set_msrs: Assertion failed.\n"
        "helpers 15\narm helpers 1000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::helpers})) == "helpers 9\narm helpers 5000\n");
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", killed})) ==
        "start 1\narm start 60000\n");
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
      "error:   likely cause: this container's seccomp profile forbids unshare, which this "
      "virtiofsd needs\n"
      "error:   hint: docker run --security-opt seccomp=docker/seccomp-virtiofs.json, or "
      "FILESYSTEM_DRIVER=9p\n"
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
        killed_words +
            "error: Processes of the guest that use /mnt/s (Filesystem #1) hang from now on; the "
            "machine is stopped\n" +
            stop_begins);
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
  CHECK(text(machine.on(event::QemuEnded{killed})) == "start 1\narm start 60000\n");
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
        "error: A disk of the host is full: the machine is paused, and tried again every 10 s\n"
        "error:   hint: make room where the image, DATA_DIR and TMPDIR are\n"
        "arm resume 10000\n");
  CHECK(machine.phase() == Phase::booting);
  const std::string retry = "cont\narm resumed 2000\n";
  CHECK(text(machine.on(event::TimerFired{Timer::resume})) == retry);
  // Still full: not said again.
  CHECK(text(machine.on(event::MachineBroken{"io-error"})) == "arm resume 10000\n");
  CHECK(text(machine.on(event::TimerFired{Timer::resumed})).empty());
  CHECK(text(machine.on(event::TimerFired{Timer::resume})) == retry);
  CHECK(text(machine.on(event::TimerFired{Timer::resumed})) ==
        "info: The machine goes on: there is room on the disk again\n");

  // A paused guest hears no power button.
  CHECK(text(machine.on(event::MachineBroken{"io-error"})).starts_with("error: A disk"));
  CHECK(text(machine.on(event::StopAsked{"SIGTERM"})) ==
        "info: Stopping (SIGTERM): the guest has 8 s to power off\ncont\n" + stop_begins);
}

TEST_CASE("a kernel panic ends with status 1") {
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::GuestPoweredOff{"guest-panic"}) ==
        "error: The guest's kernel panicked (its last words are on the console)\n"
        "arm quit 6000\n");
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 1\n");
}

TEST_CASE("a program that cannot be started ends the start") {
  SUBCASE("a helper") {
    auto machine = supervisor();
    machine.start();
    CHECK(text(machine.on(event::StartFailed{true,
                                             "cannot start virtiofsd-1: /v: Exec format "
                                             "error"})) ==
          "error: cannot start virtiofsd-1: /v: Exec format error\nfinish 4\n");
  }
  SUBCASE("QEMU") {
    auto machine = supervisor();
    CHECK(after(machine, event::StartFailed{false,
                                            "cannot listen at the socket /r/qmp.sock: No "
                                            "space left on device"}) ==
          "error: cannot listen at the socket /r/qmp.sock: No space left on device\n"
          "error:   hint: make room where the image, DATA_DIR, TMPDIR and the runtime folder are\n"
          "finish 1\n");
  }
}

TEST_CASE("a QEMU that does not answer in time is ended") {
  auto tcg = supervisor({Accelerator::tcg}, {});
  CHECK(after(tcg, event::TimerFired{Timer::start}) ==
        "error: QEMU did not answer within 60 s: it is ended\n"
        "error:   hint: START_TIMEOUT gives it more time\n"
        "qemu 9\narm kill 1000\n");
  CHECK(text(tcg.on(event::QemuEnded{killed})) == "finish 1\n");

  auto kvm = supervisor({Accelerator::kvm, Accelerator::tcg}, {});
  CHECK(after(kvm, event::TimerFired{Timer::start}) ==
        "warn: KVM does not work here, the guest runs under tcg instead, many times slower: "
        "QEMU did not answer within 60 s\n"
        "qemu 9\narm kill 1000\n");
  CHECK(text(kvm.on(event::QemuEnded{killed})) == "start 1\narm start 60000\n");

  auto quick = supervisor({Accelerator::tcg}, {});
  CHECK(after(quick, event::QmpReady{}, event::TimerFired{Timer::start}).empty());
}

TEST_CASE("a QEMU that closes its monitor is ended by other means") {
  const std::string words =
      "error: QEMU closed its monitor and goes on: it cannot be controlled any more\n";
  SUBCASE("it was ending") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::MonitorClosed{}) == "arm monitor 500\n");
    CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 0\n");
  }
  SUBCASE("there is no agent") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::MonitorClosed{},
                event::TimerFired{Timer::monitor}) == words + "qemu 15\narm kill 1000\n");
    CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 1\n");
  }
  SUBCASE("an agent can tell the guest") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::AgentChanged{true}, event::MonitorClosed{},
                event::TimerFired{Timer::monitor}) ==
          words +
              "arm quit 6000\ninfo: The guest's agent is told to shut it down\nagent shutdown\n");
    CHECK(text(machine.on(event::TimerFired{Timer::quit})).starts_with("warn: The guest did not"));
  }
  SUBCASE("the next attempt is not its") {
    auto machine = supervisor({Accelerator::kvm, Accelerator::tcg}, {});
    CHECK(after(machine, event::MonitorClosed{}, event::QemuEnded{aborted},
                event::TimerFired{Timer::monitor})
              .empty());
    CHECK(machine.phase() == Phase::starting);
  }
}

TEST_CASE("a helper that dies under ON_HELPER_EXIT=keep leaves the machine running") {
  auto machine = supervisor({Accelerator::tcg}, one_helper, HelperExitPolicy::keep);
  CHECK(after(machine, event::QmpReady{}, event::HelperEnded{"virtiofsd-1", killed}) ==
        killed_words +
            "error: Processes of the guest that use /mnt/s (Filesystem #1) hang from now on; the "
            "machine goes on (ON_HELPER_EXIT=keep)\n");
  CHECK(machine.phase() == Phase::booting);
  CHECK(text(machine.on(event::GuestPoweredOff{"guest-shutdown"})) ==
        "info: The guest powered off\narm quit 6000\n");
  CHECK(text(machine.on(event::QemuEnded{clean})) == "finish 4\n");
}

TEST_CASE("two helpers that exit at one moment are both named") {
  auto machine = supervisor({Accelerator::tcg}, {{"a", "/mnt/a"}, {"b", "/mnt/b"}});
  after(machine, event::QmpReady{}, event::HelperEnded{"a", clean}, event::HelperEnded{"b", clean});
  CHECK(text(machine.on(event::TimerFired{Timer::helpers})) ==
        "error: a died (exit status 0)\n"
        "error: Processes of the guest that use /mnt/a hang from now on; the machine is stopped\n"
        "error: b died (exit status 0)\n"
        "error: Processes of the guest that use /mnt/b hang from now on; the machine is stopped\n" +
            stop_begins);
}

TEST_CASE("helpers come and go with shares that are added and removed") {
  auto machine = supervisor({Accelerator::tcg}, {});
  CHECK(after(machine, event::QmpReady{}, event::HelperAdded{"virtiofsd-2", "/mnt/t"}).empty());
  CHECK(text(machine.on(event::HelperAdded{"virtiofsd-3", "/mnt/u"})).empty());
  CHECK(text(machine.on(event::HelperReleased{"virtiofsd-2"})).empty());
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-2", clean})).empty());
  CHECK(machine.phase() == Phase::booting);
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-3", killed}))
            .starts_with("error: virtiofsd-3 died (signal 9 (Killed))\n"));
  CHECK(machine.phase() == Phase::stopping);
}

TEST_CASE("a helper that ends just before QEMU says that its share is gone ends no machine") {
  auto machine = supervisor({Accelerator::tcg}, {});
  after(machine, event::QmpReady{}, event::HelperAdded{"virtiofsd-2", "/mnt/t"},
        event::HelperEnded{"virtiofsd-2", clean});
  CHECK(text(machine.on(event::HelperReleased{"virtiofsd-2"})).empty());
  CHECK(text(machine.on(event::TimerFired{Timer::helpers})).empty());
  CHECK(machine.phase() == Phase::booting);
  // One of the same name that is added later is none that may go.
  machine.on(event::HelperAdded{"virtiofsd-2", "/mnt/t"});
  machine.on(event::HelperEnded{"virtiofsd-2", clean});
  CHECK(text(machine.on(event::TimerFired{Timer::helpers}))
            .starts_with("error: virtiofsd-2 died (exit status 0)\n"));
}

TEST_CASE("what not even SIGKILL ends is left behind") {
  SUBCASE("QEMU") {
    auto machine = supervisor({Accelerator::tcg}, {});
    CHECK(after(machine, event::QmpReady{}, event::StopAsked{"SIGTERM"},
                event::TimerFired{Timer::quit}, event::TimerFired{Timer::terminate},
                event::TimerFired{Timer::kill}, event::TimerFired{Timer::abandon}) ==
          "error: QEMU does not end even by SIGKILL: it hangs in the kernel, and is left behind\n"
          "abandon\nfinish 5\n");
  }
  SUBCASE("a helper") {
    auto machine = supervisor();
    CHECK(after(machine, event::QmpReady{}, event::QemuEnded{clean},
                event::TimerFired{Timer::helpers}, event::TimerFired{Timer::helpers}) ==
          "error: virtiofsd-1 does not end even by SIGKILL: it hangs in the kernel, and is left "
          "behind\nabandon\nfinish 0\n");
  }
}

TEST_CASE("a refused system call of the launcher ends the VM in order, with status 1") {
  auto machine = supervisor();
  CHECK(after(machine, event::QmpReady{}, event::CallRefused{"ptrace"}) ==
        "error: The system call 'ptrace' was refused, since vm-runner never makes it by itself: "
        "somebody may have taken it over\n"
        "error:   hint: report this with the log, unless you know why\n" +
            stop_begins);
  machine.on(event::GuestPoweredOff{"guest-shutdown"});
  machine.on(event::QemuEnded{clean});
  CHECK(text(machine.on(event::HelperEnded{"virtiofsd-1", clean})) == "finish 1\n");
}

TEST_CASE("a machine is settled when no other can take its place") {
  auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
  after(machine, event::QmpReady{});
  CHECK_FALSE(machine.is_settled());
  machine.on(event::GuestAnswered{});
  CHECK(machine.is_settled());
  auto slow = supervisor({Accelerator::kvm, Accelerator::tcg});
  after(slow, event::QmpReady{}, event::TimerFired{Timer::report});
  CHECK(slow.is_settled());
  auto only = supervisor({Accelerator::tcg});
  CHECK_FALSE(only.is_settled());
  after(only, event::QmpReady{});
  CHECK(only.is_settled());
}

}  // namespace
}  // namespace vmr::test
