// SPDX-License-Identifier: MIT
// What is around a child: its session, folder, keys and environment.
#include "base/error.hpp"
#include "host/capture.hpp"
#include "run/child.hpp"
#include "support/processes.hpp"
#include "support/run_child.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"
#include "support/variable.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmr::test {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("the environment is ours without the guest password and the words with systemd") {
  const std::vector<const char*> kept = {"GUEST_PASSWORD", "NOTIFY_SOCKET", "WATCHDOG_USEC",
                                         "WATCHDOG_PID"};
  for (const char* name : kept) ::setenv(name, "secret", 1);
  ::setenv("GUEST_PASSWORD_HINT", "x", 1);
  ::setenv("GUEST_NAME", "a b\n$(c)", 1);
  CHECK(lines_of(shell("echo \"${GUEST_PASSWORD-none} $GUEST_PASSWORD_HINT $GUEST_NAME\"; "
                       "! grep -q secret /proc/$$/environ")) == Lines{"none x a b", "$(c)"});
  for (const char* name : kept) ::unsetenv(name);
  for (const char* name : {"GUEST_PASSWORD_HINT", "GUEST_NAME"}) ::unsetenv(name);
}

TEST_CASE("the child leads its own process group") {
  boost::asio::io_context io;
  std::string group;
  Child child(io.get_executor(), {"cut", {"/usr/bin/cut", "-d ", "-f5", "/proc/self/stat"}, {}},
              [&](const std::string& line) { group = line; }, {});
  io.run();
  CHECK(group == std::to_string(child.pid()));
}

TEST_CASE("a child works in the root folder, in a session of its own") {
  // The sixth word of /proc/PID/stat is the session.
  const std::string script =
      "pwd; read -r _ _ _ _ _ session _ < /proc/$$/stat; "
      "test $session = $$ && echo its own";
  CHECK(lines_of(shell(script)) == Lines{"/", "its own"});
  const TemporaryFolder folder;
  auto elsewhere = shell("pwd -P");
  elsewhere.working_folder = folder.path();
  CHECK(lines_of(elsewhere) == Lines{folder.path()});
}

TEST_CASE("a child that cannot work in its folder is not started") {
  boost::asio::io_context io;
  auto spec = shell("true");
  spec.working_folder = "/nowhere, $(x)";
  try {
    Child child(io.get_executor(), spec, {}, {});
    FAIL("it was started");
  } catch (const Error& error) {
    CHECK(error.cause == "No such file or directory");
  }
  CHECK(has_no_children());
}

TEST_CASE("a child has none of the keys of our session") {
  CHECK(wait_for(fork_and_run([] {
          if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0) {
            MESSAGE("SKIPPED: there are no keys here");
            return 0;
          }
          const auto key =
              ::syscall(SYS_add_key, "user", "vmr-test-key", "x", 1, KEY_SPEC_SESSION_KEYRING);
          // Only who has it in a keyring sees it: /proc/keys lists no others.
          constexpr auto all_to_possessor = 0x3f000000;
          ::syscall(SYS_keyctl, KEYCTL_SETPERM, key, all_to_possessor);
          if (read_text("/proc/keys").find("vmr-test-key") == std::string::npos) return 1;
          const std::string look = "grep -o vmr-test-key /proc/keys || echo none";
          if (lines_of(shell(look)) != Lines{"none"}) return 2;
          return capture({"/bin/sh", "-c", look}).output == "none\n" ? 0 : 3;
        })) == 0);
}

TEST_CASE("folders in the environment of a child are absolute, and the launcher's own words gone") {
  const auto here = std::filesystem::current_path().string();
  const Variable temporary("TMPDIR", "a b");
  const Variable libraries("LD_LIBRARY_PATH", "/x:l:");
  const Variable modules("QEMU_MODULE_DIR", "/m");
  const Variable password("GUEST_PASSWORD", "secret");
  CHECK(lines_of(shell("echo \"$TMPDIR|$LD_LIBRARY_PATH|$QEMU_MODULE_DIR|$GUEST_PASSWORD\"")) ==
        Lines{here + "/a b|/x:" + here + "/l:|/m|"});
}

}  // namespace
}  // namespace vmr::test
