// SPDX-License-Identifier: MIT
// What the kernel really takes from a process.
#include "host/confine.hpp"

#include "base/error.hpp"
#include "host/abilities.hpp"
#include "host/landlock.hpp"
#include "host/process_security.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"
#include "support/this_machine.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <linux/capability.h>
#include <linux/random.h>
#include <netinet/in.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmr::test {
namespace {

constexpr Owner somebody{61234, 61234};

bool is_root() {
  if (AbilitiesProbe(AbilitiesProbe::Scope::users).wait().become_other_user) return true;
  MESSAGE("SKIPPED: this process cannot become another user");
  return false;
}

/// What `body` returns in a process that has put `confinement` on; 98 when that failed.
int confined(const Confinement& confinement, const std::function<int()>& body) {
  return wait_for(fork_and_run([&] {
    const ReadyConfinement ready(confinement);
    return ready.put_on() == 0 ? body() : 98;
  }));
}

/// 0, or the errno of opening it.
int open_error(const std::string& path, int flags) {
  const UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  return file ? 0 : errno;
}

ProcessSecurity own_security() {
  std::ifstream file("/proc/self/status");
  return parse_process_status(std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST_CASE("a process without a confinement stays as it is") {
  const auto before = own_security();
  CHECK(confined({}, [&] {
          auto now = own_security();
          now.pid = before.pid;
          return now == before ? 0 : 1;
        }) == 0);
}

TEST_CASE("another user without capabilities cannot come back") {
  if (!is_root()) return;
  Confinement confinement;
  confinement.user = somebody;
  confinement.groups = {4321};
  confinement.capabilities = 0;
  confinement.no_new_privileges = true;
  CHECK(confined(confinement, [] {
          const auto now = own_security();
          gid_t group = 0;
          const bool is_other = now.uid == somebody.uid && ::getegid() == somebody.gid &&
                                ::getgroups(1, &group) == 1 && group == 4321;
          const bool is_bare = now.capabilities == 0 && now.no_new_privileges;
          // Not by the C library, which asks threads that this process does not have.
          const bool is_kept = ::syscall(SYS_setuid, 0) != 0 && errno == EPERM;
          return is_other && is_bare && is_kept ? 0 : 1;
        }) == 0);
}

TEST_CASE("another user keeps named capabilities across exec") {
  if (!is_root()) return;
  Confinement confinement;
  confinement.user = somebody;
  confinement.capabilities = capability_set({CAP_DAC_OVERRIDE});
  confinement.no_new_privileges = true;
  const TemporaryFolder folder;
  write_text(folder / "secret", "x");
  ::chmod((folder / "secret").c_str(), 0);
  const auto path = folder / "secret";
  const auto cat = [&] { return ::execl("/bin/cat", "cat", path.c_str(), nullptr); };
  CHECK(confined(confinement, cat) == 0);
  confinement.capabilities = 0;
  CHECK(confined(confinement, cat) == 1);
}

TEST_CASE("root keeps named capabilities alone across exec") {
  if (!is_root()) return;
  Confinement confinement;
  confinement.capabilities = capability_set({CAP_CHOWN});
  confinement.no_new_privileges = true;
  const TemporaryFolder folder;
  write_text(folder / "file", "x");
  const auto path = folder / "file";
  CHECK(confined(confinement, [&] {
          return ::execl("/bin/chown", "chown", "1:1", path.c_str(), nullptr);
        }) == 0);
  // It is another's now, and FOWNER is gone.
  CHECK(confined(confinement, [&] {
          return ::execl("/bin/chmod", "chmod", "0777", path.c_str(), nullptr);
        }) == 1);
}

TEST_CASE("Landlock leaves exactly the files that are named") {
  if (!has_landlock()) return;
  const TemporaryFolder folder;
  for (const auto* name : {"in, 'ü' %s", "read", "out"}) {
    std::filesystem::create_directory(folder / name);
    write_text(folder / name + "/file", "x");
  }
  std::filesystem::create_symlink("../out/file", folder / "in, 'ü' %s/link");
  Confinement confinement;
  confinement.no_new_privileges = true;
  confinement.files = {{folder / "in, 'ü' %s", FileRule::Access::write},
                       {folder / "read", FileRule::Access::read},
                       {folder / "missing", FileRule::Access::write}};
  const auto error = [&](const std::string& path, int flags) {
    return confined(confinement, [&] { return open_error(folder / path, flags); });
  };
  CHECK(error("in, 'ü' %s/file", O_RDWR) == 0);
  CHECK(error("in, 'ü' %s/new", O_WRONLY | O_CREAT) == 0);
  CHECK(error("in, 'ü' %s/link", O_RDONLY) == EACCES);
  CHECK(error("in, 'ü' %s/../out/file", O_RDONLY) == EACCES);
  CHECK(error("read/file", O_RDONLY) == 0);
  CHECK(error("read/file", O_WRONLY) == EACCES);
  CHECK(error("read/new", O_WRONLY | O_CREAT) == EACCES);
  CHECK(error("out/file", O_RDONLY) == EACCES);
  CHECK(error("missing", O_WRONLY | O_CREAT) == EACCES);
  CHECK(confined(confinement, [&] {
          const auto from = folder / "in, 'ü' %s/file";
          return ::rename(from.c_str(), (folder / "out/moved").c_str()) == 0 ? 0 : errno;
        }) == EACCES);
  CHECK(confined(confinement, [&] {
          return ::truncate((folder / "read/file").c_str(), 0) == 0 ? 0 : errno;
        }) == EACCES);
}

TEST_CASE("a rule for what was looked at is not made for what a link leads to") {
  if (!has_landlock()) return;
  const TemporaryFolder folder;
  const auto root = std::filesystem::canonical(folder.path()).string();
  std::filesystem::create_directory(root + "/real");
  std::filesystem::create_directory_symlink("real", root + "/link");
  Confinement confinement;
  confinement.files = {{root + "/link", FileRule::Access::read, false}};
  CHECK_THROWS_AS(ReadyConfinement{confinement}, Error);
  confinement.files = {{root + "/real", FileRule::Access::read, false}};
  CHECK_NOTHROW(ReadyConfinement{confinement});
}

TEST_CASE("a confined process listens at its own TCP ports alone") {
  if (landlock_version() < 4) {
    MESSAGE("SKIPPED: TCP ports are Landlock's from version 4 on");
    return;
  }
  // Two that are free now.
  const auto port_of = [](const UniqueFd& socket) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size);
    return ntohs(name.sin_port);
  };
  const auto bind_error = [](const UniqueFd& socket, std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
  };
  const auto tcp = [] { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); };
  auto first = tcp();
  auto second = tcp();
  REQUIRE(bind_error(first, 0) == 0);
  REQUIRE(bind_error(second, 0) == 0);
  const auto own = port_of(first);
  const auto other = port_of(second);
  first = {};
  second = {};
  Confinement confinement;
  confinement.no_new_privileges = true;
  confinement.files = {{"/usr", FileRule::Access::read}};
  confinement.tcp_ports = {own};
  CHECK(confined(confinement, [&] { return bind_error(tcp(), own); }) == 0);
  CHECK(confined(confinement, [&] { return bind_error(tcp(), other); }) == EACCES);
  CHECK(confined(confinement, [&] { return bind_error(tcp(), 0); }) == EACCES);
}

TEST_CASE("a confined process makes devices only where it is let") {
  if (!has_landlock()) return;
  const TemporaryFolder folder;
  Confinement confinement;
  confinement.no_new_privileges = true;
  const auto error = [&](mode_t kind) {
    return confined(confinement, [&] {
      // The one that anybody may make.
      return ::mknod((folder / "device").c_str(), kind, 0) == 0 ? 0 : errno;
    });
  };
  confinement.files = {{folder.path(), FileRule::Access::write}};
  CHECK(error(S_IFCHR) == EACCES);
  CHECK(error(S_IFBLK) == EACCES);
  confinement.files = {{folder.path(), FileRule::Access::devices}};
  CHECK(error(S_IFCHR) == 0);
}

TEST_CASE("a confined process gives commands to the devices alone that it may write") {
  if (landlock_version() < 5) {
    MESSAGE("SKIPPED: commands to devices are Landlock's from version 5 on");
    return;
  }
  Confinement confinement;
  confinement.no_new_privileges = true;
  const auto error = [&] {
    return confined(confinement, [] {
      const UniqueFd device(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
      int bits = 0;
      return ::ioctl(device.get(), RNDGETENTCNT, &bits) == 0 ? 0 : errno;
    });
  };
  confinement.files = {{"/dev/urandom", FileRule::Access::read}};
  CHECK(error() == EACCES);
  confinement.files = {{"/dev/urandom", FileRule::Access::write}};
  CHECK(error() == 0);
}

TEST_CASE("a confined process cannot signal who is outside") {
  if (landlock_version() < 6) {
    MESSAGE("SKIPPED: signals are Landlock's from version 6 on");
    return;
  }
  Confinement confinement;
  confinement.no_new_privileges = true;
  confinement.files = {{"/usr", FileRule::Access::read}};
  const pid_t parent = ::getpid();
  CHECK(confined(confinement, [&] { return ::kill(parent, 0) == 0 ? 0 : errno; }) == EPERM);
}

TEST_CASE("the kernel's lines about a process are read") {
  const auto process = parse_process_status(
      "Name:\tqemu Uid: 7\nPid:\t42\nUid:\t1\t61234\t3\t4\nCapPrm:\t0000000000000003\n"
      "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  CHECK(process == ProcessSecurity{"", 42, 61234, 3, 2, true, {}, {}});
  CHECK(parse_process_status("") == ProcessSecurity{});
  CHECK(parse_process_status("\nUid:\nCapPrm:\tzz\nSeccomp") == ProcessSecurity{});
}

}  // namespace
}  // namespace vmr::test
