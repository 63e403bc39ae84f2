// SPDX-License-Identifier: MIT
#include "run/prepare.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "config/disk_record.hpp"
#include "host/capture.hpp"
#include "host/new_file.hpp"
#include "host/programs.hpp"
#include "run/seed_image.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

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

/// An empty file of mode 0600: a guest's disk has its secrets in it, and qemu-img keeps the mode of
/// a file that is there.
UniqueFd make_file(const std::string& path, const Disk& disk) {
  ::unlink(path.c_str());
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    throw cannot_make(disk, std::strerror(errno), "set DATA_DIR to a folder that can be written");
  }
  return file;
}

/// Copies the file as it is, which keeps what is compressed in it.
void copy_file(const std::string& from, const std::string& to, mode_t mode, const Disk& disk) {
  const auto file = make_file(to, disk);
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  // It takes the mode of `from` too.
  if (!error && ::fchmod(file.get(), mode) == 0) return;
  const auto cause = error ? error.message() : std::string(std::strerror(errno));
  ::unlink(to.c_str());
  throw cannot_make(disk, fmt::format("'{}' cannot be copied: {}", from, cause),
                    "set DATA_DIR to a folder with room");
}

void make_disk(const std::string& path, const Disk& disk) {
  if (disk.is_copy && disk.format == "qcow2" && disk.behind.empty()) {
    copy_file(disk.image, path, 0600, disk);
    return;
  }
  const auto program = find_in_path("qemu-img");
  if (program.empty()) {
    throw Error("the persistent disk cannot be made", "qemu-img is not in PATH",
                "install it (Debian: apt install qemu-utils), or leave PERSIST out",
                ExitStatus::host_unsupported);
  }
  const auto file = make_file(path, disk);
  const auto made =
      disk.is_copy
          ? capture({program, "convert", "-q", "-f", disk.format, "-O", "qcow2", disk.image, path})
          : capture({program, "create", "-q", "-f", "qcow2", "-F", disk.format, "-b", disk.image,
                     path});
  if (made.ok) return;
  ::unlink(path.c_str());
  throw cannot_make(disk, made.errors, "set DATA_DIR to a folder with room");
}

void write_record(const Disk& disk) {
  const auto path = record_path_of(disk.persistent);
  try {
    NewFile file(path);
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

/// Makes the disk that keeps the guest's changes, unless it is there from an earlier run.
void create_persistent_disk(const Disk& disk) {
  std::error_code error;
  const bool is_there = fs::exists(disk.persistent, error);
  if (!is_there) {
    fs::create_directories(fs::path(disk.persistent).parent_path(), error);
    // Made under another name: an interrupted run must not leave half a disk behind.
    const auto unfinished = disk.persistent + ".new";
    if (disk.is_copy) log_info("Copying '{}' to {}", disk.image, disk.persistent);
    make_disk(unfinished, disk);
    for (const auto& [from, to] : disk.copies) copy_file(from, to, 0644, disk);
    if (!disk.record.empty()) write_record(disk);
    fs::rename(unfinished, disk.persistent, error);
    if (error) throw cannot_make(disk, error.message(), "set DATA_DIR to a folder with room");
    log_info("Made the persistent disk {}", disk.persistent);
  } else if (!disk.record.empty()) {
    write_record(disk);
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
