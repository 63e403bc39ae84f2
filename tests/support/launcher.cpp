// SPDX-License-Identifier: MIT
#include "support/launcher.hpp"

#include "build_paths.hpp"
#include "support/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

constexpr int patience = 120'000;  // milliseconds

std::string own_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> argv_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::vector<std::string> argv;
  for (std::string word; std::getline(file, word, '\0');) argv.push_back(word);
  return argv;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/children", pid, pid));
  return {std::istream_iterator<pid_t>(file), {}};
}

}  // namespace

Launcher::Launcher(const Variables& variables, const std::vector<std::string>& arguments,
                   const StartDetails& details) {
  Variables all = {{"PATH", own_variable("PATH")},
                   {"HOME", own_variable("HOME")},
                   {"XDG_RUNTIME_DIR", folder_.path()},
                   {"XDG_CONFIG_HOME", folder_.path()},
                   {"SSH_PORT", "0"}};
  for (const auto& [name, value] : variables) all[name] = value;
  std::vector<std::string> environment;
  for (const auto& [name, value] : all) {
    if (!value.empty()) environment.push_back(name + "=" + value);
  }
  auto argv = details.wrapper;
  argv.emplace_back(VM_RUNNER);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto argv_pointers = pointers(argv);
  auto environment_pointers = pointers(environment);

  Pipe output;
  Pipe log;
  pid_ = ::fork();
  if (pid_ == 0) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output.writing.get(), STDOUT_FILENO);
    ::dup2(log.writing.get(), STDERR_FILENO);
    // Whoever started the tests may have had them ignore some, as nohup does.
    for (const int signal : {SIGINT, SIGHUP, SIGQUIT}) std::signal(signal, SIG_DFL);
    if (details.before_exec) details.before_exec();
    ::execve(argv_pointers.front(), argv_pointers.data(), environment_pointers.data());
    ::_exit(127);
  }
  output_fd_ = std::move(output.reading);
  log_fd_ = std::move(log.reading);
}

Launcher::~Launcher() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Launcher::read_some() {
  std::array<pollfd, 2> both = {{{output_fd_.get(), POLLIN, 0}, {log_fd_.get(), POLLIN, 0}}};
  const std::array<UniqueFd*, 2> fds = {&output_fd_, &log_fd_};
  const std::array<std::string*, 2> texts = {&output_, &log_};
  if (!output_fd_ && !log_fd_) return false;
  if (::poll(both.data(), both.size(), patience) <= 0) return false;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (both.at(i).revents == 0) continue;
    std::array<char, 4096> buffer{};
    const auto count = ::read(both.at(i).fd, buffer.data(), buffer.size());
    if (count > 0) texts.at(i)->append(buffer.data(), static_cast<std::size_t>(count));
    if (count <= 0) fds.at(i)->reset();
  }
  return true;
}

bool Launcher::wait_for(const std::string& text, const std::string& where) {
  while (where.find(text) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

bool Launcher::wait_for_output(const std::string& text) {
  return wait_for(text, output_);
}
bool Launcher::wait_for_log(const std::string& text) {
  return wait_for(text, log_);
}

void Launcher::signal(int signal) const {
  ::kill(pid_, signal);
}

std::vector<pid_t> Launcher::child_pids() const {
  return children_of(pid_);
}

pid_t Launcher::child_pid(const std::string& name) const {
  for (const auto pid : child_pids()) {
    const auto argv = argv_of(pid);
    if (!argv.empty() && fs::path(argv.front()).filename() == name) return pid;
  }
  return -1;
}

std::vector<pid_t> Launcher::descendant_pids() const {
  auto pids = child_pids();
  for (std::size_t i = 0; i < pids.size(); ++i) {
    const auto more = children_of(pids[i]);
    pids.insert(pids.end(), more.begin(), more.end());
  }
  return pids;
}

std::multimap<std::string, std::vector<std::string>> Launcher::children() const {
  std::multimap<std::string, std::vector<std::string>> found;
  for (const auto pid : child_pids()) {
    const auto argv = argv_of(pid);
    if (!argv.empty()) found.emplace(fs::path(argv.front()).filename().string(), argv);
  }
  return found;
}

Finished Launcher::finish() {
  while (read_some()) {
  }
  // Silent for too long: the test is to fail, not to hang.
  if (output_fd_ || log_fd_) ::kill(pid_, SIGKILL);
  if (pid_ > 0) status_ = vmr::test::wait_for(pid_);
  pid_ = -1;
  return {status_, output_, log_};
}

std::vector<std::string> Launcher::left_files() const {
  std::vector<std::string> left;
  std::error_code missing;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder_.path() + "/vm-runner", missing)) {
    left.push_back(fs::relative(entry.path(), folder_.path()).string());
  }
  std::sort(left.begin(), left.end());
  return left;
}

Finished run_launcher(const Launcher::Variables& variables,
                      const std::vector<std::string>& arguments) {
  return Launcher(variables, arguments).finish();
}

}  // namespace vmr::test
