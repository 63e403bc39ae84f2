// SPDX-License-Identifier: MIT
#include "host/guest_image.hpp"

#include "config/guest_toml.hpp"
#include "host/file_contents.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace vmr {
namespace {

namespace fs = std::filesystem;

/// "qcow2" by the file's first bytes, else "raw".
std::string disk_format(const std::string& path) {
  const auto file = open_to_read(path);
  return file.is_open && file.read(0, 4) == "QFI\xfb" ? "qcow2" : "raw";
}

/// Why nothing can be started from the file; empty: it can, as far as its place tells. A disk may
/// be a block device.
Problem check_file(const std::string& path, bool is_disk) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (!fs::exists(status)) return {"no such file", "", "correct the path"};
  if (fs::is_directory(status)) return {"a directory", "", "name the file itself"};
  if (!fs::is_regular_file(status) && !(is_disk && fs::is_block_file(status))) {
    return {"not a regular file", "", "name the file itself"};
  }
  if (::access(path.c_str(), R_OK) == 0) return {};
  return {"the file cannot be read by this user", "",
          "change its owner or mode, or run as its owner", ExitStatus::host_unsupported};
}

/// The absolute path of a file that the guest.toml in `folder` names.
std::string file_beside(const std::string& folder, const Given<std::string>& name, bool is_disk,
                        std::vector<Problem>& problems) {
  if (name.value.empty()) return {};
  auto path = name.value.front() == '/' ? name.value : folder + "/" + name.value;
  auto problem = check_file(path, is_disk);
  if (!problem.message.empty()) {
    problem.message = fmt::format("{}='{}': {}", name.origin.variable, name.value, problem.message);
    problem.origin = describe(name.origin);
    problems.push_back(std::move(problem));
  }
  return path;
}

FoundGuest find_guest_in(const std::string& folder) {
  constexpr std::size_t longest = 1 << 20;
  const auto path = folder + "/guest.toml";
  const auto file = open_to_read(path);
  FoundGuest found;
  found.toml = path;
  if (!file.is_open || file.size > longest) {
    const auto reason = file.is_open                        ? "it is too large"
                        : ::access(path.c_str(), R_OK) == 0 ? "it is no regular file"
                                                            : std::strerror(errno);
    found.problem = fmt::format("its guest.toml cannot be read: {}", reason);
    return found;
  }
  auto description = read_guest_toml(file.read(0, longest), path);
  found.toml_problems = std::move(description.problems);
  auto& problems = found.toml_problems;
  GuestImage guest;
  guest.name = description.name.value;
  if (guest.name.empty()) guest.name = fs::path(folder).filename().string();
  guest.kernel = file_beside(folder, description.kernel, false, problems);
  guest.initrd = file_beside(folder, description.initrd, false, problems);
  guest.disk = file_beside(folder, description.disk, true, problems);
  if (!problems.empty()) return found;
  guest.cmdline = description.cmdline.value;
  guest.login_user = description.login_user.value;
  guest.architecture = description.architecture.value;
  if (!guest.disk.empty()) guest.disk_format = disk_format(guest.disk);
  guest.kernel_origin = describe(description.kernel.origin);
  guest.initrd_origin = describe(description.initrd.origin);
  guest.disk_origin = describe(description.disk.origin);
  guest.digest = description.digest.value;
  found.guest = guest;
  return found;
}

}  // namespace

FoundGuest find_guest(const std::string& path) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  FoundGuest found;
  if (fs::is_directory(status)) {
    if (fs::exists(fs::symlink_status(path + "/guest.toml", ignored))) return find_guest_in(path);
    found.problem = "a folder without a guest.toml";
  } else if (!fs::exists(status)) {
    found.problem = "no such file";
  } else if (!fs::is_regular_file(status) && !fs::is_block_file(status)) {
    found.problem = "neither a disk image nor a folder";
  } else if (::access(path.c_str(), R_OK) != 0) {
    found.problem = "the file cannot be read by this user";
  } else {
    GuestImage guest;
    guest.name = fs::path(path).filename().string();
    guest.disk = path;
    guest.disk_format = disk_format(path);
    found.guest = guest;
  }
  return found;
}

}  // namespace vmr
