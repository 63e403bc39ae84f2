// SPDX-License-Identifier: MIT
// probe_share FOLDER UID: as the user UID, makes one thing of each kind in FOLDER and prints a line
// for each:
//
//     PROBE FOLDER UID ok STEP = WHAT STAT SHOWS
//     PROBE FOLDER UID failed STEP = REASON
//
// It runs inside the tiny guest, which has no libraries: it is linked statically.
#include "support/share_view.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <iostream>
#include <sys/socket.h>
#include <sys/un.h>

namespace {

using vmr::test::probe_name;
using vmr::test::probe_steps;
using vmr::test::view;

constexpr mode_t wanted_mode = 0640;

bool make_file(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, wanted_mode);
  if (fd < 0) return false;
  const bool written = ::write(fd, "made\n", 5) == 5;
  return ::close(fd) == 0 && written;
}

bool make_socket(const char* path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  // A socket has no other way to get its mode in one step.
  const auto old_mask = ::umask(0777 & ~wanted_mode);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int reason = errno;
  ::umask(old_mask);
  ::close(fd);
  errno = reason;
  return bound;
}

bool append_to(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, "x", 1) == 1;
  return ::close(fd) == 0 && written;
}

/// Does `step` at `path`; false with errno set when it is refused.
bool take(std::string_view step, const std::string& at) {
  const char* path = at.c_str();
  if (step == "file") return make_file(path);
  if (step == "folder") return ::mkdir(path, wanted_mode) == 0;
  if (step == "fifo") return ::mkfifo(path, wanted_mode) == 0;
  if (step == "socket") return make_socket(path);
  if (step == "device") return ::mknod(path, S_IFCHR | wanted_mode, ::makedev(1, 3)) == 0;
  if (step == "symlink") return ::symlink("a/target", path) == 0;
  if (step == "write") return append_to(path);
  if (!make_file(path)) return false;
  if (step == "chmod") return ::chmod(path, 0604) == 0;
  if (step == "chown") return ::chown(path, 1234, 1235) == 0;
  if (step == "xattr") return ::setxattr(path, "user.note", "kept", 4, 0) == 0;
  return ::link(path, (at + "-2").c_str()) == 0;
}

bool become(uid_t user) {
  return user == 0 || (::setgroups(0, nullptr) == 0 && ::setgid(user) == 0 && ::setuid(user) == 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || !become(static_cast<uid_t>(std::atoi(argv[2])))) {
    std::cerr << "usage: probe_share FOLDER UID\n";
    return 2;
  }
  ::umask(022);
  for (const auto step : probe_steps) {
    const auto path = std::string(argv[1]) + "/" + probe_name(argv[2], step);
    const bool done = take(step, path);
    const auto result = done ? view(step, path) : std::string(std::strerror(errno));
    std::cout << "PROBE " << argv[1] << ' ' << argv[2] << (done ? " ok " : " failed ") << step
              << " = " << result << std::endl;
  }
}
