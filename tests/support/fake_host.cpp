// SPDX-License-Identifier: MIT
#include "support/fake_host.hpp"

#include "build_paths.hpp"
#include "host/environment.hpp"
#include "host/probe_container.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/text_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

std::string own_path() {
  const char* path = std::getenv("PATH");
  return path == nullptr ? std::string() : std::string(path);
}

/// Shares of a fake host have the one sandbox that works on every machine, which is none, and in a
/// container they are no mounts.
std::string without_usual_warnings(const std::string& log) {
  std::istringstream lines(log);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    const bool is_warning = line.find("virtiofsd runs without a sandbox") != line.npos ||
                            line.find("is no mount but the container's own layer") != line.npos;
    if (!is_warning) rest += line + (lines.eof() ? "" : "\n");
  }
  return rest;
}

}  // namespace

FakeHost::FakeHost() {
  for (const auto* name : {"bin", "log", "run", "home", "qemu/vhost-user"}) {
    fs::create_directories(folder_ / name);
  }
  fs::create_symlink(FAKE_QEMU, folder_ / "bin/qemu-system-x86_64");
  write_text(folder_ / "qemu/vhost-user/10-fake.json",
             fmt::format(R"({{"type": "fs", "binary": "{}"}})", FAKE_VIRTIOFSD));
  // As much of a kernel as tells that it is one.
  write_text(folder_ / "kernel", std::string(0x202, '\0') + "HdrS");
  // root may write everywhere, so there is nothing to say about that.
  write_text(folder_ / "guest.toml", "kernel = \"kernel\"\nlogin_user = \"root\"\n");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

FakeHost::~FakeHost() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

Launcher::Variables FakeHost::settings(const Launcher::Variables& more) const {
  // Also where the tests run in a container, the fake host is a machine.
  const bool is_machine = find_surroundings("", environment) == Surroundings::machine;
  const Launcher::Variables machine =
      is_machine ? Launcher::Variables{} : Launcher::Variables{{"STOP_TIMEOUT", "90"}};
  return join(join(machine, {{"PATH", folder_ / "bin" + ":" + own_path()},
                             {"HOME", folder_ / "home"},
                             {"XDG_CACHE_HOME", folder_ / "home"},
                             {"XDG_CONFIG_HOME", folder_.path()},
                             {"XDG_RUNTIME_DIR", runtime_folder()},
                             {"FAKE_LOG_DIR", folder_ / "log"},
                             {"BASE_IMAGE", folder_.path()},
                             {"ACCEL", "tcg"},
                             {"MEMORY", "64"},
                             {"GUEST_PASSWORD", "secret"},
                             // The fakes write into folders that a confined QEMU has no way to.
                             {"QEMU_USER", "launcher"}}),
              more);
}

Finished FakeHost::run(const Launcher::Variables& more, const StartDetails& details) const {
  Launcher launcher(settings(more), {}, details);
  return finish(launcher);
}

Finished FakeHost::finish(Launcher& launcher) const {
  auto finished = launcher.finish();
  finished.log = without_usual_warnings(finished.log);
  CHECK(left_files() == std::vector<std::string>{});
  CHECK_FALSE(has_children());
  return finished;
}

Launcher::Variables FakeHost::virtiofs_share(int number, const std::string& source) {
  fs::create_directories(source);
  return share(number, {{"SOURCE", source}, {"DRIVER", "virtiofs"}, {"SANDBOX", "none"}});
}

std::vector<std::string> FakeHost::argv_of(const std::string& name) const {
  std::istringstream file(read_text(folder_ / "log/" + name + ".argv"));
  std::vector<std::string> argv;
  for (std::string word; std::getline(file, word, '\0');) argv.push_back(word);
  return argv;
}

std::vector<std::string> FakeHost::descriptors_of(const std::string& name) const {
  auto lines = lines_of(read_text(folder_ / "log/" + name + ".fds"));
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> FakeHost::place_of(const std::string& name) const {
  return lines_of(read_text(folder_ / "log/" + name + ".place"));
}

std::size_t FakeHost::starts_of(const std::string& name) const {
  const auto path = folder_ / "log/" + name + ".starts";
  return fs::exists(path) ? lines_of(read_text(path)).size() : 0;
}

std::vector<std::string> FakeHost::left_files() const {
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(runtime_folder())) {
    left.push_back(fs::relative(entry.path(), runtime_folder()).string());
  }
  std::sort(left.begin(), left.end());
  return left;
}

std::string reap_all_children() {
  std::vector<int> endings;
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0) {
    endings.push_back(wait_for(info.si_pid));
  }
  std::sort(endings.begin(), endings.end());
  return fmt::format("{}", fmt::join(endings, " "));
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0;
}

Gate::Gate(const FakeHost& host, const std::string& name) : path_(host / "log/" + name + ".gate") {
  if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("mkfifo failed");
}

Gate::~Gate() {
  ::unlink(path_.c_str());
}

void Gate::wait() {
  // Opening waits for the reader.
  if (!fd_) fd_.reset(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
}

void Gate::open() {
  wait();
  [[maybe_unused]] const auto written = ::write(fd_.get(), "!", 1);
}

bool works_here(const std::vector<std::string>& command) {
  const pid_t pid = fork_and_run([&command] {
    auto words = command;
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return ::execv(argv.front(), argv.data());
  });
  return wait_for(pid) == 0;
}

}  // namespace vmr::test
