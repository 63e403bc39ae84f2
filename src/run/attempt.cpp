// SPDX-License-Identifier: MIT
#include "run/attempt.hpp"

#include "base/log.hpp"
#include "config/secrets.hpp"
#include "host/open_path.hpp"
#include "plan/opened_paths.hpp"
#include "run/runtime_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

constexpr std::size_t longest_report = 16384;  // a path of which each byte takes three
constexpr std::size_t most_early_lines = 20;

/// The listening sockets of one process, given to `user`, who connects to them if we do not.
std::vector<UniqueFd> bind_listeners(const ProcessPlan& process,
                                     const std::optional<Owner>& user = std::nullopt) {
  std::vector<UniqueFd> sockets;
  for (const auto& listener : process.listeners) {
    ::unlink(listener.path.c_str());  // of an earlier attempt
    sockets.push_back(listen_at(listener.path, user));
  }
  return sockets;
}

}  // namespace

Attempt::Attempt(boost::asio::any_io_executor executor, const LaunchPlan& plan,
                 const QemuPlan& qemu, ConsoleMode mode, ConsoleViewers& viewers,
                 AttemptHandlers handlers)
    : executor_(std::move(executor)),
      plan_(plan),
      qemu_(qemu),
      handlers_(std::move(handlers)),
      qemu_sockets_(bind_listeners(qemu.process)) {
  // Connected while we listen ourselves: a QEMU that dies at once is then an exit like any other.
  auto qmp_handlers = handlers_.qmp;
  qmp_handlers.event = [this](const auto& name, const auto& data) {
    guest_exec_->take_event(name, data);
    handlers_.qmp.event(name, data);
  };
  qmp_.emplace(executor_, connect_to(plan.paths.qmp), std::move(qmp_handlers));
  agent_.emplace(executor_, connect_to(plan.paths.agent));
  guest_exec_.emplace(executor_, *qmp_, *agent_);
  reports_.emplace(executor_, connect_to(plan.paths.reports), longest_report,
                   handlers_.guest_report, [] {});
  console_.emplace(executor_, connect_to(plan.paths.console), mode, viewers, handlers_.console_left,
                   handlers_.console_ended);
  // Both sides have their ends: the names are not needed any more, and cannot be left behind.
  for (const auto& listener : qemu.process.listeners) ::unlink(listener.path.c_str());
  for (const auto& share : plan.shares) {
    if (!share.helper) continue;
    helper_sockets_[share.helper->name] =
        bind_listeners(*share.helper, qemu.process.confinement.user);
  }
  // QEMU may not do it itself.
  for (const auto& connection : qemu.process.connections) {
    qemu_connections_.push_back(connect_to(connection.path));
  }
}

void Attempt::start_helpers() {
  for (const auto& share : plan_.shares) {
    if (!share.helper) continue;
    const auto sockets = helper_sockets_.extract(share.helper->name);
    start_helper(*share.helper, sockets.mapped());
  }
}

UniqueFd Attempt::start_helper(const ProcessPlan& helper) {
  const auto sockets = bind_listeners(helper, std::nullopt);
  const auto& path = helper.listeners.front().path;
  auto connection = connect_to(path);
  ::unlink(path.c_str());
  start_helper(helper, sockets);
  return connection;
}

void Attempt::start_helper(const ProcessPlan& helper, const std::vector<UniqueFd>& sockets) {
  const auto name = helper.name;
  start(
      helper, sockets,
      [this, name](const std::string& line) {
        log_output(quotas_[name], LogLevel::debug, name, line);
      },
      [name, ended = handlers_.helper_ended](const ChildExit& exit) { ended(name, exit); });
}

void Attempt::start_qemu() {
  auto sockets = std::exchange(qemu_sockets_, {});
  // Closed here afterwards: a virtiofsd ends when QEMU does.
  for (auto& connection : std::exchange(qemu_connections_, {})) {
    sockets.push_back(std::move(connection));
  }
  start(
      qemu_.process, sockets, [this](const std::string& line) { take_qemu_line(line); },
      handlers_.qemu_ended);
}

std::vector<UniqueFd> Attempt::hand_over(const ProcessPlan& process, ChildSpec& spec) {
  std::vector<UniqueFd> files;
  int last = STDERR_FILENO;
  for (const auto& [ours, number] : spec.descriptors) last = std::max(last, number);
  for (const auto& opened : process.opened) {
    files.push_back(open_path(opened.path, opened.follow_links));
    spec.descriptors.emplace_back(files.back().get(), opened.fd);
    last = std::max(last, opened.fd);
    // What is handed over is what it may open: its name may be another file's by now.
    for (auto& rule : spec.confinement.files) {
      if (rule.path != opened.told && rule.path != opened.path) continue;
      rule.path = fmt::format("/proc/self/fd/{}", files.back().get());
      rule.follow_links = true;
    }
  }
  if (!process.mounted_at.empty()) {
    spec.mount = {files.front().get(), process.opened.front().path, process.mounted_at};
  }
  const auto& parent = process.temporary_files_in;
  if (parent.empty()) return files;
  scratch_.emplace(parent, process.confinement.user);
  for (auto& rule : spec.confinement.files) {
    if (rule.path == parent) rule.path = scratch_->path();
  }
  files.push_back(open_path(scratch_->path(), true));
  spec.descriptors.emplace_back(files.back().get(), last + 1);
  spec.temporary_folder = fmt::format("/proc/self/fd/{}", last + 1);
  return files;
}

void Attempt::start(const ProcessPlan& process, const std::vector<UniqueFd>& sockets,
                    Child::OnLine on_line, Child::OnExit on_exit) {
  const bool is_handed = !process.opened_argv.empty();
  ChildSpec spec{process.name,
                 is_handed ? process.opened_argv : process.argv,
                 {},
                 process.confinement,
                 process.working_folder};
  const auto listeners = process.listeners.size();
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const int number =
        i < listeners ? process.listeners[i].fd : process.connections[i - listeners].fd;
    spec.descriptors.emplace_back(sockets[i].get(), number);
  }
  const auto opened = hand_over(process, spec);
  log(LogLevel::debug, fmt::format("start {}: {}", process.name, command_for_log(process.argv)),
      {{"process", process.name}});
  auto forget_and_tell = [this, name = process.name, process,
                          on_exit = std::move(on_exit)](const ChildExit& exit) {
    // Ends what this very function is a part of, but for its copies.
    const auto tell = on_exit;
    auto ended = exit;
    for (auto& line : ended.last_lines) line = with_paths(line, process);
    log(LogLevel::debug, fmt::format("{} has ended ({})", name, describe(ended)),
        {{"process", name}});
    quotas_.erase(name);
    children_.erase(name);
    tell(ended);
  };
  auto tell_line = [process, on_line = std::move(on_line)](const std::string& line) {
    on_line(with_paths(line, process));
  };
  const auto& child = children_[process.name] =
      std::make_unique<Child>(executor_, spec, std::move(tell_line), std::move(forget_and_tell));
  log(LogLevel::debug, fmt::format("{} is process {}", process.name, child->pid()),
      {{"process", process.name}});
}

void Attempt::log_output(LogQuota& quota, LogLevel level, const std::string& name,
                         const std::string& line) {
  log_within(quota, level, name, [&] { return fmt::format("{}: {}", name, line); },
             {{"process", name}});
}

void Attempt::take_qemu_line(const std::string& line) {
  const std::string name = "qemu";
  if (ready_) return log_output(quotas_[name], LogLevel::warn, name, line);
  log_output(quotas_[name], LogLevel::debug, name, line);
  if (early_output_.size() < most_early_lines) early_output_.push_back(line);
}

void Attempt::log_qemu_output() {
  ready_ = true;
  scratch_.reset();
  for (const auto& line : std::exchange(early_output_, {})) {
    log(LogLevel::warn, "qemu: " + line, {{"process", "qemu"}});
  }
}

std::map<std::string, pid_t> Attempt::pids() const {
  std::map<std::string, pid_t> pids;
  for (const auto& [name, child] : children_) {
    pids[name] = child->pid();
  }
  return pids;
}

bool Attempt::has_started(pid_t pid) const {
  // Each leads a session, which what it starts is in as well, whatever group that makes.
  const pid_t session = ::getsid(pid);
  return std::any_of(children_.begin(), children_.end(),
                     [&](const auto& entry) { return entry.second->pid() == session; });
}

void Attempt::signal_qemu(int signal) {
  signal_helper("qemu", signal);
}

void Attempt::signal_helpers(int signal) {
  for (const auto& [name, child] : children_) {
    if (name != "qemu") child->signal(signal);
  }
}

void Attempt::signal_helper(const std::string& name, int signal) {
  const auto found = children_.find(name);
  if (found != children_.end()) found->second->signal(signal);
}

void Attempt::abandon() {
  for (const auto& [name, child] : children_) child->abandon();
}

}  // namespace vmr
