// SPDX-License-Identifier: MIT
// A VM of fake programs whose console can be attached to, and `vm-runner console` beside it.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "run/control_client.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/launcher.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <unistd.h>

namespace vmr::test {

/// A launcher with a fake QEMU that shows nothing itself, while it exists.
class RunningConsole {
 public:
  explicit RunningConsole(const std::string& behaviours = "echo-console",
                          const Launcher::Variables& more = {{"NO_CONSOLE", "1"}})
      : launcher_(host_.settings(join({{"FAKE_QEMU", behaviours}}, more))) {
    REQUIRE(launcher_.wait_for_log("The machine runs"));
  }
  ~RunningConsole() {
    if (!is_stopped_) stop();
  }
  RunningConsole(const RunningConsole&) = delete;
  RunningConsole& operator=(const RunningConsole&) = delete;

  Finished stop() {
    is_stopped_ = true;
    launcher_.signal(SIGTERM);
    return launcher_.finish();
  }

  [[nodiscard]] Launcher::Variables settings() const { return host_.settings(); }
  [[nodiscard]] ControlAddress address() const {
    return {"vm", host_.runtime_folder() + "/vm-runner/vm/control.sock"};
  }

  /// A connection to the console, as the client has it.
  [[nodiscard]] UniqueFd attach() const {
    return ask_launcher(address(), {{"request", "console"}}).connection;
  }

  /// The error of one who is refused; empty when it is not.
  [[nodiscard]] std::string refusal() const {
    try {
      const auto connection = attach();
      return {};
    } catch (const Error& error) {
      return format(error);
    }
  }

  bool wait_for_output(const std::string& text) { return launcher_.wait_for_output(text); }
  bool wait_for_log(const std::string& text) { return launcher_.wait_for_log(text); }

  [[nodiscard]] const FakeHost& host() const { return host_; }
  [[nodiscard]] const Launcher& launcher() const { return launcher_; }

 private:
  FakeHost host_;
  Launcher launcher_;
  bool is_stopped_ = false;
};

/// A `vm-runner console` that is not at a terminal.
class ConsoleClient {
 public:
  explicit ConsoleClient(const RunningConsole& vm)
      : client_(vm.settings(), {"console"},
                {{}, [fd = keys_.reading.get()] { ::dup2(fd, STDIN_FILENO); }}) {}

  void type(const std::string& keys) const {
    REQUIRE(::write(keys_.writing.get(), keys.data(), keys.size()) ==
            static_cast<ssize_t>(keys.size()));
  }
  void end_input() { keys_.writing.reset(); }
  bool wait_for(const std::string& text) { return client_.wait_for_output(text); }
  Finished finish() { return client_.finish(); }

 private:
  Pipe keys_;
  Launcher client_;
};

}  // namespace vmr::test
