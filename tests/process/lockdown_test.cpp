// SPDX-License-Identifier: MIT
#include "run/lockdown.hpp"

#include "host/abilities.hpp"
#include "host/process_security.hpp"
#include "run/system_call_filter.hpp"
#include "support/processes.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <linux/capability.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace vmr::test {
namespace {

bool has_filter() {
  if (!has_system_call_filter()) MESSAGE("SKIPPED: a build with a sanitizer has no filter");
  return has_system_call_filter();
}

TEST_CASE("a call that the launcher gave up fails, and is told by its name") {
  if (!has_filter()) return;
  const pid_t pid = fork_and_run([] {
    boost::asio::io_context io;
    std::vector<std::string> calls;
    const Lockdown lockdown(io.get_executor(), {}, [&](const std::string& call) {
      calls.push_back(call);
      if (calls.size() == 2) io.stop();
    });
    const bool failed = ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == -1 && errno == ENOSYS;
    const bool failed_too = ::syscall(SYS_swapon, "/dev/null", 0) == -1 && errno == ENOSYS;
    io.run();
    const bool told = calls == std::vector<std::string>{"ptrace", "swapon"};
    return failed && failed_too && told ? 0 : 1;
  });
  CHECK(wait_for(pid) == 0);
}

TEST_CASE("a program that a locked launcher starts is ended by such a call") {
  if (!has_filter()) return;
  const pid_t pid = fork_and_run([] {
    boost::asio::io_context io;
    const Lockdown lockdown(io.get_executor(), {true, false}, [](const std::string&) {});
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGSYS, SIG_DFL);
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? 0 : 1;
  });
  CHECK(wait_for(pid) == 0);
}

TEST_CASE("a launcher that adds no share starts no program any more") {
  if (!has_filter()) return;
  const pid_t pid = fork_and_run([] {
    boost::asio::io_context io;
    const Lockdown lockdown(io.get_executor(), {}, [](const std::string&) {});
    return ::execl("/bin/true", "true", nullptr) == -1 && errno == ENOSYS ? 0 : 1;
  });
  CHECK(wait_for(pid) == 0);
}

TEST_CASE("capabilities and new privileges are gone") {
  const auto after = [](const LockdownNeeds& needs, CapabilitySet effective) {
    return wait_for(fork_and_run([&] {
      boost::asio::io_context io;
      const Lockdown lockdown(io.get_executor(), needs, [](const std::string&) {});
      std::ifstream file("/proc/self/status");
      const auto now = parse_process_status(std::string(std::istreambuf_iterator<char>(file), {}));
      const bool is_less = (effective_capabilities() & ~effective) == 0;
      const bool is_none = needs.starts_helpers || (now.capabilities & ~effective) == 0;
      return is_less && is_none && now.no_new_privileges ? 0 : 1;
    }));
  };
  CHECK(after({}, capability_set({CAP_KILL})) == 0);
  CHECK(after({false, true}, capability_set({CAP_KILL, CAP_CHOWN})) == 0);
  CHECK(after({true, false}, capability_set({CAP_KILL, CAP_DAC_OVERRIDE})) == 0);
}

TEST_CASE("an unknown call is told by its number") {
  CHECK(system_call_name(99999) == "number 99999");
}

}  // namespace
}  // namespace vmr::test
