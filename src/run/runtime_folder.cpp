// SPDX-License-Identifier: MIT
#include "run/runtime_folder.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& cause,
                       const std::string& hint = "") {
  throw Error(fmt::format("cannot use the runtime folder {}", path), cause, hint);
}

/// Makes `path` and its parents; one that vanishes meanwhile is left to the caller's next attempt.
void make_folders(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return;
  if (errno != ENOENT || !path.has_relative_path()) fail(path, std::strerror(errno));
  make_folders(path.parent_path(), 0755);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST && errno != ENOENT) {
    fail(path, std::strerror(errno));
  }
}

/// Whoever owns the parent could put another folder in this one's place.
void check_parent(const std::string& path) {
  const auto parent = fs::path(path).parent_path();
  struct stat facts {};
  if (::lstat(parent.c_str(), &facts) != 0) return;  // vanished; the next attempt makes it again
  const bool trusted = facts.st_uid == ::geteuid() || facts.st_uid == 0;
  const bool open_to_others = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (facts.st_mode & S_ISVTX) != 0;
  if (S_ISDIR(facts.st_mode) && trusted && (!open_to_others || sticky)) return;
  fail(parent.string(), fmt::format("it is not a folder of user {} alone", ::geteuid()),
       fmt::format("remove {}", parent.string()));
}

/// The folder, opened; none when it has vanished.
UniqueFd open_own_folder(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder && errno == ENOENT) return folder;
  if (!folder && (errno == ENOTDIR || errno == ELOOP)) {
    fail(path, "it is not a folder, or a symbolic link to one", fmt::format("remove {}", path));
  }
  struct stat facts {};
  if (!folder || ::fstat(folder.get(), &facts) != 0) fail(path, std::strerror(errno));
  if (facts.st_uid != ::geteuid()) fail(path, fmt::format("it belongs to user {}", facts.st_uid));
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    fail(path, fmt::format("others may write to it (mode {:04o})", facts.st_mode & 07777),
         fmt::format("remove {}", path));
  }
  return folder;
}

/// Whether `path` still names the very folder that is open.
bool names(const std::string& path, const UniqueFd& folder) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(folder.get(), &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/// The process that holds a flock on `folder`, where /proc/locks tells: its lines are
/// "1: FLOCK  ADVISORY  WRITE 9175 fe:00:1081348 0 EOF".
std::optional<pid_t> find_lock_holder(const UniqueFd& folder) {
  struct stat facts {};
  if (::fstat(folder.get(), &facts) != 0) return std::nullopt;
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(facts.st_dev), minor(facts.st_dev), facts.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, file;
    pid_t pid = 0;
    if (words >> number >> kind >> advisory >> access >> pid >> file && kind == "FLOCK" &&
        file == wanted && pid > 0) {
      return pid;
    }
  }
  return std::nullopt;
}

/// The folder as it is, opened; none when it is not there. Throws Error for one that is not ours.
UniqueFd open_existing(const std::string& path) {
  check_parent(path);
  return open_own_folder(path);
}

[[noreturn]] void fail_as_running(const std::string& vm_name, const UniqueFd& folder) {
  const auto pid = find_lock_holder(folder);
  throw Error(fmt::format("a VM named '{}' is already running{}", vm_name,
                          pid ? fmt::format(" (pid {})", *pid) : ""),
              "", "stop it, or set another GUEST_NAME");
}

/// The folder, made and locked; none when it vanished meanwhile.
UniqueFd try_lock_folder(const std::string& path, const std::string& vm_name) {
  check_parent(path);  // so that nothing is made in a folder that is not ours
  make_folders(path, 0700);
  UniqueFd folder = open_existing(path);
  if (!folder) return {};
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) fail_as_running(vm_name, folder);
    fail(path, fmt::format("it cannot be locked: {}", std::strerror(errno)));
  }
  // Its last owner may have removed it between our open and our lock.
  return names(path, folder) ? std::move(folder) : UniqueFd();
}

/// By its descriptor: whatever becomes of the path, nothing of another folder is removed.
std::error_code remove_contents(const UniqueFd& folder) {
  const auto path = fmt::format("/proc/self/fd/{}", folder.get());
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  for (const auto& entry : entries) {
    if (!error) fs::remove_all(entry, error);
  }
  return error;
}

}  // namespace

std::optional<Problem> find_folder_problem(const std::string& path, const std::string& vm_name) {
  try {
    const auto folder = open_existing(path);
    // Taking the lock, even for a moment, could turn away a launcher that starts now.
    if (folder && find_lock_holder(folder)) fail_as_running(vm_name, folder);
    return std::nullopt;
  } catch (const Error& error) {
    const std::string cause = error.cause.empty() ? "" : ": " + error.cause;
    return Problem{error.what() + cause, "", error.hint, error.status};
  }
}

void refuse_if_running(const std::string& path, const std::string& vm_name) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder && find_lock_holder(folder)) fail_as_running(vm_name, folder);
}

RuntimeFolder::RuntimeFolder(std::string path, const std::string& vm_name)
    : path_(std::move(path)) {
  for (int attempt = 0; attempt < 100 && !lock_; ++attempt) {
    lock_ = try_lock_folder(path_, vm_name);
  }
  if (!lock_) fail(path_, "it is removed again and again while it is being made");
  if (const auto error = remove_contents(lock_)) {
    fail(path_,
         fmt::format("what an earlier run left in it cannot be removed: {}", error.message()));
  }
  ::fchmod(lock_.get(), 0700);
}

RuntimeFolder::~RuntimeFolder() {
  // Under the lock, so that a launcher that waits at the door never finds half of it.
  if (!names(path_, lock_)) return;
  remove_contents(lock_);
  ::rmdir(path_.c_str());
  ::rmdir(fs::path(path_).parent_path().c_str());
}

}  // namespace vmr
