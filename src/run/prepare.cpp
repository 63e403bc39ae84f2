// SPDX-License-Identifier: MIT
#include "run/prepare.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "run/seed_image.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
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

/// Makes the overlay that keeps the guest's changes, unless it is there from an earlier run.
void create_persistent_disk(const Disk& disk) {
  std::error_code error;
  if (fs::exists(disk.persistent, error)) return;
  fs::create_directories(fs::path(disk.persistent).parent_path(), error);
  const auto program = find_in_path("qemu-img");
  if (program.empty()) {
    throw Error("the persistent disk cannot be made", "qemu-img is not in PATH",
                "install it (Debian: apt install qemu-utils), or leave PERSIST out",
                ExitStatus::host_unsupported);
  }
  // Made under another name: an interrupted run must not leave half a disk behind.
  const auto unfinished = disk.persistent + ".new";
  // qemu-img keeps the mode of a file that is there; a guest's disk has its secrets in it.
  ::unlink(unfinished.c_str());
  const UniqueFd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    throw Error(fmt::format("the persistent disk '{}' cannot be made", disk.persistent),
                std::strerror(errno), "set DATA_DIR to a folder that can be written");
  }
  const auto made = capture(
      {program, "create", "-q", "-f", "qcow2", "-F", disk.format, "-b", disk.image, unfinished});
  if (made.ok) fs::rename(unfinished, disk.persistent, error);
  if (!made.ok || error) {
    throw Error(fmt::format("the persistent disk '{}' cannot be made", disk.persistent),
                made.ok ? error.message() : made.errors, "set DATA_DIR to a folder with room");
  }
  log_info("Made the persistent disk {}", disk.persistent);
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
