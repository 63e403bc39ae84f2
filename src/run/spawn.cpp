// SPDX-License-Identifier: MIT
// The one file that includes Boost.Process. Only its launcher is used: its processes are waited for
// as soon as they end, which would leave nothing that keeps the number of the group.
#define BOOST_PROCESS_USE_STD_FS
#include "run/spawn.hpp"

#include "base/error.hpp"
#include "host/child_environment.hpp"
#include "host/confine.hpp"
#include "host/session_keyring.hpp"
#include "host/wait_for_exit.hpp"
#include "run/child_registry.hpp"
#include "run/descriptors.hpp"

#include <boost/optional.hpp>  // process.hpp of Boost 1.81 uses it without including it
#include <boost/process/v2/process.hpp>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/close_range.h>
#include <memory>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

using boost::process::v2::posix::default_launcher;
using boost::system::error_code;
using Moves = std::vector<std::pair<int, int>>;

/// What Boost.Process calls before fork and, in the child, before exec.
class ChildSetup {
 public:
  ChildSetup(Moves moves, const ChildSpec& spec,
             std::shared_ptr<const ReadyConfinement> confinement)
      : moves_(std::move(moves)),
        folder_(spec.working_folder),
        mount_(spec.mount),
        confinement_(std::move(confinement)),
        environment_(std::make_shared<const ChildEnvironment>(spec.temporary_folder)) {}

  error_code on_setup(default_launcher& launcher, const std::filesystem::path&,
                      const char* const*) {
    launcher.env = environment_->entries();
    for (const auto& [from, to] : moves_) launcher.fd_whitelist.push_back(to);
    return {};
  }

  error_code on_exec_setup(default_launcher&, const std::filesystem::path&, const char* const*) {
    const int failure = prepare();
    // Boost stops at the value returned, but sends errno to the parent, where 0 means success.
    errno = failure;
    return {failure, boost::system::system_category()};
  }

 private:
  /// Returns 0 or the errno.
  int prepare() {
    // Not only a group: who shares the session of a terminal may type into it (TIOCSTI).
    if (::setsid() < 0) return errno;
    // QEMU looks for its firmware in the folder where it works, before it does among its own.
    if (::chdir(folder_.c_str()) != 0) return errno;
    if (const int failure = confinement_->put_on(); failure != 0) return failure;
    // What a launcher that has given up the rest keeps for it is in effect only now.
    if (mount_) {
      if (const int failure = mount_in_own_namespace(); failure != 0) return failure;
    }
    // Becoming another user would undo it.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    // A launcher that died before the line above sends no signal any more.
    if (::getppid() != launcher_) ::_exit(EXIT_FAILURE);
    if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return errno;
    if (const int failure = place_descriptors(moves_); failure != 0) return failure;
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) return errno;
    leave_session_keyring();
    return confinement_->refuse_calls();
  }

  /// Returns 0 or the errno. What the host mounts later is seen in it, as in virtiofsd's own
  /// namespace.
  int mount_in_own_namespace() {
    if (::unshare(CLONE_NEWNS) != 0) return errno;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return errno;
    // Through a descriptor of the old namespace nothing is mounted in the new one.
    const int folder = ::open(mount_->from.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno;
    struct stat looked_at {};
    struct stat opened {};
    if (::fstat(mount_->opened, &looked_at) != 0 || ::fstat(folder, &opened) != 0) return errno;
    if (looked_at.st_dev != opened.st_dev || looked_at.st_ino != opened.st_ino) return ELOOP;
    if (::fchdir(folder) != 0) return errno;
    if (::mount(".", mount_->at.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return errno;
    return ::chdir(folder_.c_str()) == 0 ? 0 : errno;
  }

  Moves moves_;
  std::string folder_;
  std::optional<ChildSpec::Mount> mount_;
  std::shared_ptr<const ReadyConfinement> confinement_;  ///< Boost copies this object
  std::shared_ptr<const ChildEnvironment> environment_;  ///< whose texts stay where they are
  pid_t launcher_ = ::getpid();
};

/// Blocks every signal while it exists: one that arrived between fork and exec would run the
/// launcher's handler in the child, which then writes to the launcher's own pipes.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// Takes every free number among the targets, so that the pipe over which Boost hears of a failed
/// exec cannot have one of them and be overwritten.
std::vector<UniqueFd> occupy_targets(const Moves& moves, int any_descriptor) {
  std::vector<UniqueFd> occupied;
  for (const auto& [from, to] : moves) {
    UniqueFd copy(::fcntl(any_descriptor, F_DUPFD_CLOEXEC, to));
    if (copy.get() == to) occupied.push_back(std::move(copy));
  }
  return occupied;
}

[[noreturn]] void fail(const ChildSpec& spec, const std::string& cause) {
  throw Error(fmt::format("cannot start {}: {}", spec.name, spec.argv.front()), cause, "");
}

/// Returns the pid; leaves nothing behind when it throws.
pid_t launch(const boost::asio::any_io_executor& executor, const ChildSpec& spec,
             const Moves& moves) {
  // The child of a failed exec runs our exit handlers: what is buffered would be written twice.
  std::fflush(nullptr);
  const std::vector<std::string> arguments(spec.argv.begin() + 1, spec.argv.end());
  const pid_t launcher_pid = ::getpid();
  const auto confinement = std::make_shared<const ReadyConfinement>(spec.confinement);
  default_launcher launcher;
  error_code error;
  try {
    const SignalsBlocked blocked;
    launcher(executor, error, std::filesystem::path(spec.argv.front()), arguments,
             ChildSetup(moves, spec, confinement))
        .detach();
  } catch (const boost::system::system_error& failure) {
    // Thrown in the child, it must not unwind, and clean up after, the launcher's own objects.
    if (::getpid() != launcher_pid) ::_exit(EXIT_FAILURE);
    error = failure.code();
  }
  if (!error && launcher.pid > 0) return launcher.pid;

  if (launcher.pid > 0) {
    // It may still be busy with those exit handlers, or block in them.
    ::kill(launcher.pid, SIGKILL);
    wait_for_exit(launcher.pid);
  }
  fail(spec, error ? std::strerror(error.value()) : "no process could be made");
}

}  // namespace

Process::Process(const boost::asio::any_io_executor& executor, const ChildSpec& spec) {
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) fail(spec, fmt::format("/dev/null: {}", std::strerror(errno)));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(spec, std::strerror(errno));
  output_.reset(ends[0]);
  const UniqueFd written_by_child(ends[1]);

  Moves moves = {{null.get(), STDIN_FILENO},
                 {written_by_child.get(), STDOUT_FILENO},
                 {written_by_child.get(), STDERR_FILENO}};
  moves.insert(moves.end(), spec.descriptors.begin(), spec.descriptors.end());
  const auto occupied = occupy_targets(moves, null.get());

  stop_ignoring_sigchld();
  const pid_t pid = launch(executor, spec, moves);
  // Not pidfd_open(3): the header of glibc 2.36 cannot be used from C++.
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd_) {
    const std::string cause = std::strerror(errno);
    ::kill(-pid, SIGKILL);
    wait_for_exit(pid);
    fail(spec, cause);
  }
  pid_ = pid;
  ChildRegistry::instance().add(pid_);
}

Process::~Process() {
  kill_and_reap();
}

void Process::signal(int signal) const {
  if (!reaped_) ::kill(-pid_, signal);
}

void Process::abandon() {
  if (std::exchange(reaped_, true)) return;
  // Should it end after all, the Reaper may have it.
  ChildRegistry::instance().remove(pid_);
}

int Process::kill_and_reap() {
  if (reaped_) return status_;
  signal(SIGKILL);
  status_ = wait_for_exit(pid_);
  reaped_ = true;
  ChildRegistry::instance().remove(pid_);
  return status_;
}

}  // namespace vmr
