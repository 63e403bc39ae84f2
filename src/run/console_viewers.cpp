// SPDX-License-Identifier: MIT
#include "run/console_viewers.hpp"

#include "run/console_log.hpp"
#include "run/console_viewer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace vmr {

struct ConsoleViewers::State {
  explicit State(boost::asio::any_io_executor executor) : executor(std::move(executor)) {}

  void attach(UniqueFd connection) {
    if (!connection) return;
    const int number = ++last_number;
    const auto viewer = std::make_shared<ConsoleViewer>(
        executor, std::move(connection), log,
        ViewerHandlers{[this](std::string_view keys) { return !typed || typed(keys); },
                       [this] { tell_if_shown(); },
                       [this, number] {
                         viewers.erase(number);
                         tell_if_shown();
                       }});
    viewers[number] = viewer;
    viewer->show();
    viewer->take_keys();
  }

  /// Those of this moment: one that turns out to be gone is taken off the map.
  void for_each(void (ConsoleViewer::*act)()) {
    for (const auto& [number, viewer] : std::map(viewers)) (*viewer.*act)();
  }

  void tell_if_shown() {
    const bool behind = std::any_of(viewers.begin(), viewers.end(), [](const auto& numbered) {
      return numbered.second->is_behind();
    });
    if (behind) return;
    const auto tell = std::exchange(shown, nullptr);
    if (tell) tell();
  }

  boost::asio::any_io_executor executor;
  ConsoleLog log;
  std::map<int, std::shared_ptr<ConsoleViewer>> viewers;  ///< by a running number
  int last_number = 0;
  std::function<bool(std::string_view keys)> typed;
  std::function<void()> shown;
};

ConsoleViewers::ConsoleViewers(boost::asio::any_io_executor executor)
    : state_(std::make_unique<State>(std::move(executor))) {}

ConsoleViewers::~ConsoleViewers() {
  state_->for_each(&ConsoleViewer::close);
}

void ConsoleViewers::attach(ControlRequest& request) {
  if (state_->viewers.size() >= most_viewers) {
    return request.fail(Error(fmt::format("{} are at the console already", most_viewers), "",
                              "leave it with Ctrl-] three times at one of them"));
  }
  const auto kept = state_->log.end() - state_->log.begin();
  state_->attach(request.take_over({{"kept", kept}}));
}

void ConsoleViewers::show(std::string_view bytes) {
  state_->log.append(bytes);
  state_->for_each(&ConsoleViewer::show);
}

void ConsoleViewers::set_typed(std::function<bool(std::string_view keys)> typed) {
  state_->typed = std::move(typed);
  take_keys();
}

void ConsoleViewers::take_keys() {
  state_->for_each(&ConsoleViewer::take_keys);
}

bool ConsoleViewers::has_words() const {
  return state_->log.end() != 0;
}

void ConsoleViewers::when_shown(std::function<void()> shown) {
  state_->shown = std::move(shown);
  state_->tell_if_shown();
}

}  // namespace vmr
