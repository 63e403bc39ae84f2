// SPDX-License-Identifier: MIT
#include "run/prepare.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "config/disk_record.hpp"
#include "host/capture.hpp"
#include "host/file_contents.hpp"
#include "host/new_file.hpp"
#include "host/programs.hpp"
#include "plan/qemu_img.hpp"
#include "run/closed_folder.hpp"
#include "run/seed_image.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

void create_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw Error(fmt::format("the share's folder '{}' cannot be made", path), error.message(),
                "make it yourself, or share another one", ExitStatus::host_unsupported);
  }
  log_info("Made the folder {}", path);
}

Error cannot_make(const Disk& disk, const std::string& cause, const std::string& hint) {
  return {fmt::format("the persistent disk '{}' cannot be made", disk.persistent), cause, hint};
}

/// The name of a disk in the folder where it is made.
constexpr const char* disk_name = "disk";

/// An empty file of mode 0600: a guest's disk has its secrets in it, and qemu-img keeps the mode of
/// a file that is there.
UniqueFd make_file(int folder, const char* name, const Disk& disk) {
  ::unlinkat(folder, name, 0);
  UniqueFd file(::openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    throw cannot_make(disk, std::strerror(errno), "set DATA_DIR to a folder that can be written");
  }
  return file;
}

/// 0 or the errno.
int copy_contents(const std::string& from, const UniqueFd& to) {
  const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) return errno;
  constexpr std::size_t at_once = std::size_t{1} << 30;
  ssize_t size = 0;
  while ((size = ::sendfile(to.get(), source.get(), nullptr, at_once)) > 0) {
  }
  return size < 0 ? errno : 0;
}

/// Copies the file as it is, which keeps what is compressed in it, to `name` in `folder`.
void copy_file(const std::string& from, int folder, const std::string& name, mode_t mode,
               const Disk& disk) {
  const auto file = make_file(folder, name.c_str(), disk);
  const int failure = copy_contents(from, file);
  if (failure == 0 && ::fchmod(file.get(), mode) == 0) return;
  const std::string cause = std::strerror(failure != 0 ? failure : errno);
  ::unlinkat(folder, name.c_str(), 0);
  throw cannot_make(disk, fmt::format("'{}' cannot be copied: {}", from, cause),
                    "set DATA_DIR to a folder with room");
}

/// Makes the disk in the open `folder`, which nobody else can put a link into.
void make_disk(int folder, const Disk& disk) {
  if (is_copied_as_file(disk)) {
    copy_file(disk.image, folder, disk_name, 0600, disk);
    return;
  }
  const auto program = find_in_path("qemu-img");
  if (program.empty()) {
    throw Error("the persistent disk cannot be made", "qemu-img is not in PATH",
                "install it (Debian: apt install qemu-utils), or leave PERSIST out",
                ExitStatus::host_unsupported);
  }
  const auto file = make_file(folder, disk_name, disk);
  auto words = words_to_make(disk, disk_name, virtual_size_of(disk.image, disk.format));
  words.insert(words.begin(), program);
  const auto made = capture(words, {}, no_limit, folder);
  if (made.ok) return;
  ::unlinkat(folder, disk_name, 0);
  throw cannot_make(disk, made.errors, "set DATA_DIR to a folder with room");
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void write_record(int data, const Disk& disk) {
  const auto path = record_path_of(disk.persistent);
  try {
    NewFile file(data, name_of(path));
    std::string_view rest = disk.record;
    while (!rest.empty()) {
      const auto written = ::write(file.fd(), rest.data(), rest.size());
      if (written < 0) throw std::system_error(errno, std::generic_category());
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    file.replace_path();
  } catch (const std::system_error& error) {
    throw Error(fmt::format("'{}' cannot be written, which says what the persistent disk was made "
                            "over",
                            path),
                error.code().message(), "set DATA_DIR to a folder that can be written");
  }
}

/// The folder where a disk is made: an interrupted run must not leave half a disk behind.
ClosedFolder folder_for(int data, const Disk& disk) try {
  return {data, name_of(disk.persistent) + ".new"};
} catch (const std::system_error& error) {
  throw cannot_make(disk, fmt::format("{}.new: {}", disk.persistent, error.code().message()),
                    "remove that, or set DATA_DIR to a folder of yours that can be written");
}

void make_persistent_disk(int data, const Disk& disk) {
  if (disk.is_copy) log_info("Copying '{}' to {}", disk.image, disk.persistent);
  const auto folder = folder_for(data, disk);
  make_disk(folder.fd(), disk);
  const auto place = [&](const char* name, const std::string& path) {
    if (::renameat(folder.fd(), name, data, name_of(path).c_str()) == 0) return;
    throw cannot_make(disk, std::strerror(errno), "set DATA_DIR to a folder with room");
  };
  for (const auto& [from, to] : disk.copies) {
    copy_file(from, folder.fd(), "copy", 0644, disk);
    place("copy", to);
  }
  if (!disk.record.empty()) write_record(data, disk);
  place(disk_name, disk.persistent);
  log_info("Made the persistent disk {}", disk.persistent);
}

/// Makes `folder` and what is missing above it, for this user alone whatever its umask.
void make_folders(const fs::path& folder) {
  if (!folder.has_relative_path() || ::mkdir(folder.c_str(), S_IRWXU) == 0 || errno != ENOENT) {
    return;
  }
  make_folders(folder.parent_path());
  ::mkdir(folder.c_str(), S_IRWXU);
}

/// The folder of the disk, by which everything in it is made from then on. It was looked at
/// before: nobody else may have put another in its place since.
UniqueFd open_folder_of(const Disk& disk) {
  const auto path = fs::path(disk.persistent).parent_path();
  make_folders(path);
  UniqueFd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    throw cannot_make(disk, std::strerror(errno), "set DATA_DIR to a folder that can be written");
  }
  struct stat opened {};
  struct stat named {};
  const bool is_same = ::fstat(folder.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
                       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
  if (is_same) return folder;
  throw cannot_make(disk, "its folder is not what it was a moment ago",
                    "let nobody else change that folder, and start again");
}

/// Makes the disk that keeps the guest's changes, unless it is there from an earlier run.
void create_persistent_disk(const Disk& disk) {
  const auto data = open_folder_of(disk);
  if (::faccessat(data.get(), name_of(disk.persistent).c_str(), F_OK, 0) != 0) {
    make_persistent_disk(data.get(), disk);
  } else if (!disk.record.empty()) {
    write_record(data.get(), disk);
  }
}

void give(const std::string& path, const Owner& user) {
  // Not what a link leads to: whoever may write beside it could have put it there.
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (file && ::fstat(file.get(), &facts) == 0) {
    if (!S_ISREG(facts.st_mode) || facts.st_nlink > 1) return;
    if (::fchownat(file.get(), "", user.uid, user.gid, AT_EMPTY_PATH) == 0) return;
  }
  throw Error(fmt::format("the file '{}' cannot be given to QEMU's user {}", path, user.uid),
              std::strerror(errno), "QEMU_USER=launcher starts QEMU as this user");
}

}  // namespace

void prepare_files(const LaunchPlan& plan) {
  for (const auto& folder : plan.create_folders) create_folder(folder);
  if (plan.persistent_disk) create_persistent_disk(*plan.persistent_disk);
  if (plan.seed) write_seed_image(*plan.seed, plan.paths.seed);
}

void give_files(const LaunchPlan& plan, const Owner& user) {
  if (plan.seed) give(plan.paths.seed, user);
  if (plan.persistent_disk) give(plan.persistent_disk->persistent, user);
}

void remove_startup_files(const LaunchPlan& plan) {
  if (plan.seed) ::unlink(plan.paths.seed.c_str());
  for (const auto& share : plan.shares) {
    if (!share.helper) continue;
    for (const auto& listener : share.helper->listeners) ::unlink(listener.path.c_str());
  }
}

}  // namespace vmr
