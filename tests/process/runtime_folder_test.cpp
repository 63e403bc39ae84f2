// SPDX-License-Identifier: MIT
#include "run/runtime_folder.hpp"

#include "base/error.hpp"
#include "host/probe.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777U : ~0U;
}

std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename());
  return names;
}

/// The Error of making a RuntimeFolder, as it is printed.
std::string failure_of(const std::string& path, const std::string& vm_name) {
  try {
    const RuntimeFolder folder(path, vm_name);
    return "no failure";
  } catch (const Error& error) {
    CHECK(error.status == ExitStatus::failed);
    return format(error);
  }
}

TEST_CASE("the folder is made with its parents and nothing of it is left") {
  TemporaryFolder top;
  const auto path = top / "run/vm-runner/my vm, $(x) é";
  const mode_t before = ::umask(0);
  fs::create_directory(top / "run");
  {
    const RuntimeFolder folder(path, "my vm, $(x) é");
    CHECK(folder.path() == path);
    CHECK(mode_of(path) == 0700);
    CHECK(mode_of(top / "run/vm-runner") == 0755);
    std::ofstream(path + "/seed.iso") << "x";
    const auto socket = listen_at(path + "/qmp.sock");
  }
  ::umask(before);
  CHECK(names_in(top / "run") == std::set<std::string>{});
}

TEST_CASE("parents are left to the other VMs that use them") {
  TemporaryFolder top;
  {
    const RuntimeFolder one(top / "vm-runner/one", "one");
    { const RuntimeFolder two(top / "vm-runner/two", "two"); }
    CHECK(names_in(top / "vm-runner") == std::set<std::string>{"one"});
  }
  CHECK(names_in(top.path()) == std::set<std::string>{});
}

TEST_CASE("a second launcher of the same VM is refused") {
  TemporaryFolder top;
  const auto path = top / "vm-runner/one";
  const RuntimeFolder folder(path, "one");
  std::ofstream(path + "/mine") << "x";
  const auto expected = fmt::format(
      "error: a VM named 'o,n\\n\"e' is already running (pid {})\n"
      "  hint:  stop it, or set another GUEST_NAME\n",
      ::getpid());
  CHECK(failure_of(path, "o,n\n\"e") == expected);
  CHECK(names_in(path) == std::set<std::string>{"mine"});
}

TEST_CASE("what a killed launcher left behind is cleared") {
  TemporaryFolder top;
  const auto path = top / "vm-runner/one";
  std::ofstream(top / "precious") << "x";
  const pid_t killed = test::fork_and_run([&] {
    const RuntimeFolder folder(path, "one");
    std::ofstream(path + "/seed.iso") << "x";
    fs::create_directories(path + "/virtiofsd-1/deep");
    fs::create_symlink(top.path(), path + "/link");
    const auto socket = listen_at(path + "/qmp.sock");
    ::raise(SIGKILL);
    return 1;
  });
  CHECK(test::wait_for(killed) == 1000 + SIGKILL);
  CHECK(names_in(path) == std::set<std::string>{"link", "qmp.sock", "seed.iso", "virtiofsd-1"});
  {
    const RuntimeFolder folder(path, "one");
    CHECK(names_in(path) == std::set<std::string>{});
  }
  CHECK(names_in(top.path()) == std::set<std::string>{"precious"});
}

TEST_CASE("a symbolic link or a file in its place is refused") {
  TemporaryFolder top;
  fs::create_directory(top / "elsewhere");
  std::ofstream(top / "elsewhere/precious") << "x";
  fs::create_symlink(top / "elsewhere", top / "link");
  std::ofstream(top / "file") << "x";
  for (const auto& path : {top / "link", top / "file"}) {
    CHECK(failure_of(path, "x") ==
          fmt::format("error: cannot use the runtime folder {0}\n"
                      "  cause: it is not a folder, or a symbolic link to one\n"
                      "  hint:  remove {0}\n",
                      path));
  }
  CHECK(names_in(top.path()) == std::set<std::string>{"elsewhere", "file", "link"});
  CHECK(names_in(top / "elsewhere") == std::set<std::string>{"precious"});
}

TEST_CASE("a folder that others may write to is refused") {
  TemporaryFolder top;
  const auto path = top / "one";
  fs::create_directory(path);
  for (const unsigned mode : {0770U, 0707U, 01777U}) {
    ::chmod(path.c_str(), mode);
    CHECK(failure_of(path, "one") == fmt::format("error: cannot use the runtime folder {0}\n"
                                                 "  cause: others may write to it (mode {1:04o})\n"
                                                 "  hint:  remove {0}\n",
                                                 path, mode));
  }
}

TEST_CASE("a parent in which others could exchange the folder is refused") {
  TemporaryFolder top;
  const auto parent = top / "parent";
  fs::create_directory(parent);
  ::chmod(parent.c_str(), 0777);
  CHECK(failure_of(parent + "/one", "one") ==
        fmt::format("error: cannot use the runtime folder {0}\n"
                    "  cause: it is not a folder of user {1} alone\n"
                    "  hint:  remove {0}\n",
                    parent, ::geteuid()));
  ::chmod(parent.c_str(), 01777);
  CHECK(failure_of(parent + "/one", "one") == "no failure");
}

TEST_CASE("a folder of another user is refused") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: only root can give a folder away");
    return;
  }
  TemporaryFolder top;
  const auto path = top / "one";
  fs::create_directory(path);
  CHECK(::chown(path.c_str(), 1234, 1234) == 0);
  CHECK(failure_of(path, "one") == fmt::format("error: cannot use the runtime folder {}\n"
                                               "  cause: it belongs to user 1234\n",
                                               path));
}

TEST_CASE("the folder for long names is elsewhere where another user took its name") {
  // Nobody's; the folders that are made here are not theirs.
  constexpr std::uint32_t uid = 4'000'000'123;
  const auto in = [uid = uid](const char* place) {
    return fmt::format("{}/vm-runner-{}", place, uid);
  };
  const auto is_usable = [](const char* place) { return ::access(place, W_OK) == 0; };
  if (!is_usable("/tmp") || !is_usable("/dev/shm")) {
    MESSAGE("SKIPPED: /tmp and /dev/shm cannot both be written here");
    return;
  }
  CHECK(find_short_runtime_folder(uid) == in("/tmp"));
  REQUIRE(::mkdir(in("/tmp").c_str(), 0700) == 0);
  CHECK(find_short_runtime_folder(uid) == in("/dev/shm"));
  ::rmdir(in("/tmp").c_str());
  REQUIRE(::symlink("/dev/shm", in("/tmp").c_str()) == 0);
  CHECK(find_short_runtime_folder(uid) == in("/dev/shm"));
  ::unlink(in("/tmp").c_str());
  // One that is there and ours goes before a name that is free.
  if (::mkdir(in("/dev/shm").c_str(), 0700) == 0 &&
      ::chown(in("/dev/shm").c_str(), uid, uid) == 0) {
    CHECK(find_short_runtime_folder(uid) == in("/dev/shm"));
  }
  ::rmdir(in("/dev/shm").c_str());
}

TEST_CASE("a folder that cannot be made is named with the reason") {
  TemporaryFolder top;
  std::ofstream(top / "file") << "x";
  const auto path = top / "file/one";
  CHECK(failure_of(path, "one") == fmt::format("error: cannot use the runtime folder {0}\n"
                                               "  cause: it is not a folder of user {1} alone\n"
                                               "  hint:  remove {0}\n",
                                               std::filesystem::path(path).parent_path().string(),
                                               ::geteuid()));
}

TEST_CASE("a readable folder from before becomes private") {
  TemporaryFolder top;
  const auto path = top / "one";
  fs::create_directory(path);
  ::chmod(path.c_str(), 0755);
  const RuntimeFolder folder(path, "one");
  CHECK(mode_of(path) == 0700);
}

/// Takes the folder again and again against others who do the same. In it there is never anybody
/// else, and it never vanishes: 0 when that held.
int contend(const std::string& path) {
  int owned = 0;
  for (int tries = 0; owned < 100 && tries < 1000000; ++tries) {
    try {
      const RuntimeFolder folder(path, "one");
      if (!names_in(path).empty()) return 1;
      std::ofstream(path + "/mine") << ::getpid();
      if (names_in(path) != std::set<std::string>{"mine"}) return 2;
      ++owned;
    } catch (const Error& error) {
      if (!std::string_view(error.what()).starts_with("a VM named 'one' is already running")) {
        throw std::runtime_error(format(error));
      }
    }
  }
  return owned == 100 ? 0 : 3;
}

TEST_CASE("launchers that race for the folder own it one after the other") {
  TemporaryFolder top;
  const auto path = top / "vm-runner/one";
  std::vector<pid_t> launchers;
  for (int i = 0; i < 4; ++i) {
    launchers.push_back(test::fork_and_run([&] { return contend(path); }));
  }
  for (const pid_t launcher : launchers) CHECK(test::wait_for(launcher) == 0);
  CHECK(names_in(top.path()) == std::set<std::string>{});
}

}  // namespace
}  // namespace vmr
