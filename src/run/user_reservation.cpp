// SPDX-License-Identifier: MIT
#include "run/user_reservation.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/own_user.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& cause) {
  throw Error(fmt::format("no user can be reserved for QEMU in {}", path), cause,
              "remove that folder, or choose a user with QEMU_USER=UID:GID");
}

/// Whom the processes of this host are: also a launcher with another runtime directory has a QEMU.
std::set<std::uint32_t> users_of_processes() {
  std::set<std::uint32_t> users;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    struct stat facts {};
    if (std::all_of(name.begin(), name.end(), is_ascii_digit) &&
        ::stat(entry->path().c_str(), &facts) == 0) {
      users.insert(facts.st_uid);
    }
  }
  return users;
}

}  // namespace

UserReservation::UserReservation(const std::string& directory, std::uint32_t wanted)
    : directory_(directory) {
  constexpr std::uint32_t count = last_own_user - first_own_user + 1;
  const auto taken = users_of_processes();
  for (std::uint32_t i = 0; i < count && number_ == 0; ++i) {
    const auto number = first_own_user + (wanted - first_own_user + i) % count;
    if (!taken.contains(number) && take(number)) number_ = number;
  }
  if (number_ == 0) {
    fail(directory_, fmt::format("all {} of them are in use", count));
  }
}

bool UserReservation::open_folder() {
  const auto path = directory_ + "/.users";
  // Other VMs' folders, which their QEMUs enter, are in it.
  if (::mkdir(directory_.c_str(), 0755) != 0 && errno != EEXIST) {
    fail(directory_, std::strerror(errno));
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST && errno != ENOENT) {
    fail(path, std::strerror(errno));
  }
  folder_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder_ && errno == ENOENT) return false;
  struct stat facts {};
  if (!folder_ || ::fstat(folder_.get(), &facts) != 0) fail(path, std::strerror(errno));
  if (facts.st_uid != ::geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    fail(path, fmt::format("it is not a folder of user {} alone", ::geteuid()));
  }
  return true;
}

bool UserReservation::take(std::uint32_t number) {
  const auto name = std::to_string(number);
  constexpr int most_attempts = 100;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (!folder_ && !open_folder()) continue;
    UniqueFd file(::openat(folder_.get(), name.c_str(),
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
    if (!file && errno == ENOENT) {
      folder_ = {};  // removed, after the last VM but us
      continue;
    }
    if (!file) fail(directory_ + "/.users", std::strerror(errno));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return false;
      fail(directory_ + "/.users", std::strerror(errno));
    }
    struct stat named {};
    struct stat opened {};
    // Its last owner may have removed it between our open and our lock.
    if (::fstatat(folder_.get(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        ::fstat(file.get(), &opened) == 0 && named.st_ino == opened.st_ino) {
      lock_ = std::move(file);
      return true;
    }
  }
  fail(directory_ + "/.users", "it is removed again and again while it is being made");
}

UserReservation::~UserReservation() {
  // Under the lock, so that whoever opens it now finds that it is gone.
  ::unlinkat(folder_.get(), std::to_string(number_).c_str(), 0);
  ::rmdir((directory_ + "/.users").c_str());
  ::rmdir(directory_.c_str());
}

}  // namespace vmr
