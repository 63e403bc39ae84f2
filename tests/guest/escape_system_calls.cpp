// SPDX-License-Identifier: MIT
#include "guest/escape_attempt.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

namespace vmr::guest {
namespace {

/// What comes of an attempt is seen at the canaries, not by its result.
void tried(int) {}

using test::by_system_calls;

const std::string canary = "/" + std::string(test::canary_file);

std::string contents_at(int folder, const std::string& path) {
  std::array<char, 200> text{};
  const int fd = ::openat(folder, path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const auto size = ::read(fd, text.data(), text.size());
  if (fd >= 0) ::close(fd);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string names_in(const std::string& path) {
  std::string names;
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return names;
  while (const auto* entry = ::readdir(folder)) names += std::string(" ") + entry->d_name;
  ::closedir(folder);
  return names;
}

bool append(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const bool done = fd >= 0 && ::write(fd, "x", 1) == 1;
  return fd >= 0 && ::close(fd) == 0 && done;
}

/// All that one may do with a file, by its path.
void abuse_file(const Attempt& attempt, std::size_t number, const std::string& path) {
  const auto* file = path.c_str();
  attempt.say(number, contents_at(AT_FDCWD, path));
  std::string done;
  if (::chmod(file, 0666) == 0) done += " chmod";
  if (::chown(file, 1, 1) == 0) done += " chown";
  if (::setxattr(file, "user.escape", "x", 1, 0) == 0) done += " setxattr";
  if (::setxattr(file, "trusted.escape", "x", 1, 0) == 0) done += " setxattr";
  if (::setxattr(file, "user.virtfs.uid", "\1\0\0\0", 4, 0) == 0) done += " virtfs";
  const std::array<timespec, 2> times = {timespec{1, 0}, timespec{1, 0}};
  if (::utimensat(AT_FDCWD, file, times.data(), 0) == 0) done += " utimens";
  if (append(path)) done += " write";
  if (!done.empty()) attempt.say(number, path + " did" + done);
}

/// The same with the canary in a folder, and with the folder.
void abuse_folder(const Attempt& attempt, std::size_t number, const std::string& path) {
  attempt.say(number, names_in(path));
  abuse_file(attempt, number, path + canary);
  append(path + "/made");
  ::mkdir((path + "/made-folder").c_str(), 0755);
}

void try_dots(const Attempt& attempt) {
  const auto number = test::trick_number(by_system_calls, "`..`");
  abuse_folder(attempt, number, attempt.base() + "/" + Attempt::relative(number));
  const int fd = ::open(attempt.base().c_str(), O_PATH | O_CLOEXEC);
  abuse_folder(attempt, number,
               "/proc/self/fd/" + std::to_string(fd) + "/" + Attempt::relative(number));
  ::close(fd);
}

void try_symlink(const Attempt& attempt, const std::string& maker, const std::string& kind) {
  const auto number = test::trick_number(by_system_calls, kind + " symlink of the " + maker);
  const auto target = kind == "relative" ? Attempt::relative(number) : attempt.absolute(number);
  const auto folder = attempt.base() + "/" + test::link_to_folder(maker, number);
  const auto file = attempt.base() + "/" + test::link_to_canary(maker, number);
  if (maker == "guest") {
    tried(::symlink(target.c_str(), folder.c_str()));
    tried(::symlink((target + canary).c_str(), file.c_str()));
  }
  abuse_folder(attempt, number, folder);
  abuse_file(attempt, number, file);
}

void try_hard_link(const Attempt& attempt) {
  const auto number = test::trick_number(by_system_calls, "hard link");
  const auto name = [&](const char* what) {
    return attempt.base() + "/" + what + std::to_string(number);
  };
  const auto outside = attempt.base() + "/" + Attempt::relative(number);
  tried(::symlink((Attempt::relative(number) + canary).c_str(), name("link-").c_str()));
  append(name("own-"));
  for (const int flags : {0, AT_SYMLINK_FOLLOW}) {
    const auto made = name(flags == 0 ? "hard-" : "followed-");
    tried(::linkat(AT_FDCWD, name("link-").c_str(), AT_FDCWD, made.c_str(), flags));
    abuse_file(attempt, number, made);
  }
  tried(::link((outside + canary).c_str(), name("in-").c_str()));
  abuse_file(attempt, number, name("in-"));
  tried(::link(name("own-").c_str(), (outside + "/linked").c_str()));
  ::rename(name("own-").c_str(), (outside + "/renamed").c_str());
}

void try_bind_mount(const Attempt& attempt) {
  const auto number = test::trick_number(by_system_calls, "bind mount");
  const auto top = attempt.base() + "/bind";
  for (const auto* below : {"", "/a", "/a/b"}) ::mkdir((top + below).c_str(), 0755);
  const std::string bound = "/tmp/bound";
  ::mkdir(bound.c_str(), 0755);
  ::mount((top + "/a/b").c_str(), bound.c_str(), nullptr, MS_BIND, nullptr);
  const int inside = ::open(bound.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Now the folder is no longer below what its mount was bound from.
  ::rename((top + "/a/b").c_str(), (attempt.base() + "/bind-moved").c_str());
  std::string up;
  for (int depth = 0; depth < 5; ++depth, up += "../") {
    abuse_folder(attempt, number, bound + "/" + up + Attempt::relative(number));
    const auto path = up + Attempt::relative(number) + canary;
    attempt.say(number, contents_at(inside, path));
  }
  ::close(inside);
  ::umount(bound.c_str());
}

/// A process that calls `work` again and again while `body` runs.
template <typename Work, typename Body>
void meanwhile(const Work& work, const Body& body) {
  const auto child = ::fork();
  if (child == 0) {
    for (;;) work();
  }
  body();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

constexpr int rounds = 100;

void try_swap(const Attempt& attempt) {
  const auto number =
      test::trick_number(by_system_calls, "folder swapped with a symlink meanwhile");
  const auto folder = attempt.base() + "/swapped";
  const auto away = folder + "-away";
  const auto link = folder + "-link";
  ::mkdir(folder.c_str(), 0755);
  append(folder + canary);
  tried(::symlink(Attempt::relative(number).c_str(), link.c_str()));
  const auto swap = [&] {
    ::rename(folder.c_str(), away.c_str());
    ::rename(link.c_str(), folder.c_str());
    ::rename(folder.c_str(), link.c_str());
    ::rename(away.c_str(), folder.c_str());
  };
  meanwhile(swap, [&] {
    std::string seen;
    for (int i = 0; i < rounds; ++i) {
      const auto text = contents_at(AT_FDCWD, folder + canary);
      if (text.size() > seen.size()) seen = text;
      append(folder + "/made");
    }
    attempt.say(number, seen.substr(0, 100));
  });
}

void try_moving_dots(const Attempt& attempt) {
  const auto number = test::trick_number(by_system_calls, "`..` in a folder that moves");
  const auto top = attempt.base() + "/moving";
  for (const auto* below : {"", "/a", "/a/b"}) ::mkdir((top + below).c_str(), 0755);
  const auto deep = top + "/a/b";
  const auto flat = top + "/b";
  const auto move = [&] {
    ::rename(deep.c_str(), flat.c_str());
    ::rename(flat.c_str(), deep.c_str());
  };
  meanwhile(move, [&] {
    for (int i = 0; i < rounds; ++i) {
      const auto path = deep + "/../../../" + Attempt::relative(number);
      const auto text = contents_at(AT_FDCWD, path + canary);
      if (!text.empty() && i % 20 == 0) attempt.say(number, text);
      append(path + "/made");
    }
  });
}

void try_handles(const Attempt& attempt) {
  const auto number = test::trick_number(by_system_calls, "forged file handle");
  union {
    file_handle header;
    std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> space;
  } handle{};
  handle.header.handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  const auto base = attempt.base();
  if (::name_to_handle_at(AT_FDCWD, base.c_str(), &handle.header, &mount_id, 0) != 0) {
    attempt.say(number, std::string("no handles: ") + std::strerror(errno));
    return;
  }
  const int mount_fd = ::open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  auto* words = reinterpret_cast<std::uint32_t*>(handle.header.f_handle);
  for (std::uint32_t forged = 0; forged < 64; ++forged) {
    // The kernel's handle of a file on FUSE: the upper and lower half of its number.
    words[1] = forged;
    const int fd = ::open_by_handle_at(mount_fd, &handle.header, O_RDONLY | O_NONBLOCK);
    if (fd < 0) continue;
    for (const std::string up : {"", "../", "../../"}) {
      const auto text = contents_at(fd, up + Attempt::relative(number) + canary);
      if (!text.empty()) attempt.say(number, text);
    }
    ::close(fd);
  }
  ::close(mount_fd);
}

void try_long_path(const Attempt& attempt) {
  const auto number = test::trick_number(by_system_calls, "path of 4000 bytes");
  std::string path = attempt.base() + "/";
  ::mkdir((path + "d").c_str(), 0755);
  while (path.size() < 3900) path += "d/../";
  abuse_folder(attempt, number, path + Attempt::relative(number));
}

}  // namespace

void try_system_calls(const Attempt& attempt) {
  for (std::size_t i = 0; i < test::escape_tricks.size(); ++i) {
    if (test::escape_tricks.at(i).way == by_system_calls) attempt.say(i, "tried");
  }
  try_dots(attempt);
  for (const std::string maker : {"guest", "host"}) {
    for (const std::string kind : {"relative", "absolute"}) try_symlink(attempt, maker, kind);
  }
  try_hard_link(attempt);
  try_bind_mount(attempt);
  try_swap(attempt);
  try_moving_dots(attempt);
  try_handles(attempt);
  try_long_path(attempt);
}

void leave_behind(const Attempt& attempt) {
  const auto path = [&](std::size_t i) { return attempt.base() + "/" + test::leftover_name(i); };
  append(path(0));
  tried(::chown(path(0).c_str(), 0, 0));
  ::chmod(path(0).c_str(), 04755);
  ::mknod(path(1).c_str(), S_IFCHR | 0666, ::makedev(1, 5));
  tried(::symlink("/etc/passwd", path(2).c_str()));
  append(path(3));
  // Version 2, effective: cap_setuid.
  const std::string capability("\1\0\0\2\200\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  ::setxattr(path(3).c_str(), "security.capability", capability.data(), capability.size(), 0);
  append(path(4));
  ::setxattr(path(4).c_str(), "trusted.escape", "x", 1, 0);
}

}  // namespace vmr::guest
