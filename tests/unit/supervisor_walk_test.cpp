// SPDX-License-Identifier: MIT
// The whole product of states and events.
#include "support/supervisor_text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

namespace vmr::test {
namespace {

std::vector<Event> all_events() {
  const std::vector<Event> events = {event::StartFailed{true, "cannot start virtiofsd-1"},
                                     event::StartFailed{false, "cannot start qemu"},
                                     event::QmpReady{},
                                     event::MonitorClosed{},
                                     event::GuestAnswered{},
                                     event::AgentChanged{true},
                                     event::AgentChanged{false},
                                     event::GuestRestarted{},
                                     event::GuestPoweredOff{"guest-shutdown"},
                                     event::GuestPoweredOff{"guest-panic"},
                                     event::QemuEnding{"host-qmp-quit"},
                                     event::MachineBroken{"io-error"},
                                     event::MachineBroken{"internal-error"},
                                     event::QemuEnded{clean},
                                     event::QemuEnded{aborted},
                                     event::CallRefused{"ptrace"},
                                     event::HelperEnded{"virtiofsd-1", killed},
                                     event::HelperEnded{"virtiofsd-1", clean},
                                     event::HelperAdded{"virtiofsd-9", "/mnt/9"},
                                     event::HelperReleased{"virtiofsd-1"},
                                     event::StopAsked{"SIGTERM"},
                                     event::StopAsked{"vm-runner stop", true}};
  std::vector<Event> all = events;
  for (int timer = 0; timer <= static_cast<int>(Timer::abandon); ++timer) {
    all.emplace_back(event::TimerFired{static_cast<Timer>(timer)});
  }
  return all;
}

/// A machine, and which events led to it.
struct Walked {
  Supervisor machine;
  std::string path;
};

/// Every sequence of `length` events, given to a machine that has got to each phase.
void walk(std::size_t length, const std::function<void(Supervisor, const std::string&)>& judge) {
  const auto all = all_events();
  const std::vector<std::vector<Event>> ways = {
      {},
      {event::QmpReady{}},
      {event::QmpReady{}, event::GuestAnswered{}},
      {event::QmpReady{}, event::StopAsked{"SIGTERM"}},
      {event::StopAsked{"SIGTERM"}, event::QemuEnded{clean},
       event::HelperEnded{"virtiofsd-1", clean}}};
  for (std::size_t way = 0; way < ways.size(); ++way) {
    auto machine = supervisor({Accelerator::kvm, Accelerator::tcg});
    machine.start();
    for (const auto& event : ways.at(way)) machine.on(event);
    std::vector<Walked> reached = {{std::move(machine), fmt::format("way {}, events", way)}};
    for (std::size_t step = 0; step < length; ++step) {
      std::vector<Walked> next;
      for (const auto& before : reached) {
        for (std::size_t i = 0; i < all.size(); ++i) {
          next.push_back({before.machine, fmt::format("{} {}", before.path, i)});
          next.back().machine.on(all.at(i));
        }
      }
      reached = std::move(next);
    }
    for (auto& walked : reached) judge(std::move(walked.machine), walked.path);
  }
}

TEST_CASE("every event is defined in every phase and the end is always reached") {
  walk(3, [](Supervisor machine, const std::string& path) {
    CAPTURE(path);
    // What surely ends all children, twice for the second accelerator.
    for (int attempt = 0; attempt < 2 && machine.phase() != Phase::stopped; ++attempt) {
      machine.on(event::StopAsked{"SIGTERM"});
      machine.on(event::QemuEnded{killed});
      machine.on(event::TimerFired{Timer::helpers});
      for (const auto* name : {"virtiofsd-1", "virtiofsd-9"}) {
        machine.on(event::HelperEnded{name, killed});
      }
    }
    CHECK(machine.phase() == Phase::stopped);
  });
}

TEST_CASE("the end is reached even when nothing that runs ever ends") {
  walk(2, [](Supervisor machine, const std::string& path) {
    CAPTURE(path);
    machine.on(event::StopAsked{"SIGTERM"});
    for (const auto timer : {Timer::quit, Timer::terminate, Timer::kill, Timer::abandon,
                             Timer::helpers, Timer::helpers, Timer::helpers}) {
      machine.on(event::TimerFired{timer});
    }
    CHECK(machine.phase() == Phase::stopped);
  });
}

}  // namespace
}  // namespace vmr::test
