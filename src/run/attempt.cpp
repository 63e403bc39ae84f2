// SPDX-License-Identifier: MIT
#include "run/attempt.hpp"

#include "base/log.hpp"
#include "base/shell_words.hpp"
#include "run/runtime_folder.hpp"

#include <unistd.h>

namespace vmr {
namespace {

constexpr std::size_t longest_report = 4096;
constexpr std::size_t most_early_lines = 20;

/// The listening sockets of one process, and who connects to them.
std::vector<UniqueFd> bind_listeners(const ProcessPlan& process) {
  std::vector<UniqueFd> sockets;
  for (const auto& listener : process.listeners) {
    ::unlink(listener.path.c_str());  // of an earlier attempt
    sockets.push_back(listen_at(listener.path));
  }
  return sockets;
}

}  // namespace

Attempt::Attempt(boost::asio::any_io_executor executor, const LaunchPlan& plan,
                 const QemuPlan& qemu, ConsoleMode mode, AttemptHandlers handlers) {
  // Connected while we listen ourselves: a QEMU that dies at once is then an exit like any other.
  const auto qemu_sockets = bind_listeners(qemu.process);
  qmp_.emplace(executor, connect_to(plan.paths.qmp), handlers.qmp);
  reports_.emplace(executor, connect_to(plan.paths.reports), longest_report, handlers.guest_report,
                   [] {});
  console_.emplace(executor, connect_to(plan.paths.console), mode, handlers.console_left,
                   handlers.console_ended);
  // Both sides have their ends: the names are not needed any more, and cannot be left behind.
  for (const auto& listener : qemu.process.listeners) ::unlink(listener.path.c_str());
  for (const auto& share : plan.shares) {
    if (!share.helper) continue;
    const auto name = share.helper->name;
    start(
        executor, *share.helper, bind_listeners(*share.helper),
        [name](const std::string& line) { log_debug("{}: {}", name, line); },
        [name, ended = handlers.helper_ended](const ChildExit& exit) { ended(name, exit); });
  }
  start(
      executor, qemu.process, qemu_sockets,
      [this](const std::string& line) { take_qemu_line(line); }, handlers.qemu_ended);
}

void Attempt::start(boost::asio::any_io_executor executor, const ProcessPlan& process,
                    const std::vector<UniqueFd>& sockets, Child::OnLine on_line,
                    Child::OnExit on_exit) {
  ChildSpec spec{process.name, process.argv, {}};
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    spec.descriptors.emplace_back(sockets[i].get(), process.listeners[i].fd);
  }
  log_debug("start {}: {}", process.name, shell_join(process.argv));
  children_[process.name] =
      std::make_unique<Child>(executor, spec, std::move(on_line), std::move(on_exit));
}

void Attempt::take_qemu_line(const std::string& line) {
  if (ready_) return log_warn("qemu: {}", line);
  log_debug("qemu: {}", line);
  if (early_output_.size() < most_early_lines) early_output_.push_back(line);
}

void Attempt::log_qemu_output() {
  ready_ = true;
  for (const auto& line : std::exchange(early_output_, {})) log_warn("qemu: {}", line);
}

std::map<std::string, pid_t> Attempt::pids() const {
  std::map<std::string, pid_t> pids;
  for (const auto& [name, child] : children_) {
    if (!child->has_ended()) pids[name] = child->pid();
  }
  return pids;
}

void Attempt::signal_qemu(int signal) {
  children_.at("qemu")->signal(signal);
}

void Attempt::signal_helpers(int signal) {
  for (const auto& [name, child] : children_) {
    if (name != "qemu") child->signal(signal);
  }
}

}  // namespace vmr
