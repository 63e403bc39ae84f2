// SPDX-License-Identifier: MIT
#include "host/probe_files.hpp"

#include "base/paths.hpp"
#include "config/own_drives.hpp"
#include "config/persistent_disk.hpp"
#include "host/file_contents.hpp"
#include "host/file_systems.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace vmr {
namespace {

/// Longer chains of images than anybody makes; they may also be rings.
constexpr int longest_chain = 64;

/// Why the missing `path` could not be made as a folder; empty: it could.
std::string find_obstacle(const std::filesystem::path& path) {
  struct stat info {};
  const bool is_link = ::lstat(path.c_str(), &info) == 0;
  if (is_link) return "it is a symbolic link to what is not there";
  if (errno != ENOENT) return std::strerror(errno);
  auto parent = path.parent_path();
  while (::access(parent.c_str(), F_OK) != 0 && errno == ENOENT && parent.has_relative_path()) {
    parent = parent.parent_path();
  }
  return find_obstacle_in(parent.string());
}

/// Whether every user may search the folders that lead to `path`; of those that are missing, what
/// this process would make.
bool is_reachable(std::filesystem::path path) {
  constexpr mode_t for_all = S_IXOTH;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  while (path.has_relative_path()) {
    path = path.parent_path();
    struct stat facts {};
    const bool is_there = ::stat(path.c_str(), &facts) == 0;
    if (is_there ? (facts.st_mode & for_all) == 0 : (mask & for_all) != 0) return false;
  }
  return true;
}

/// What a disk image has behind it.
struct Backing {
  std::string name;         ///< as its header has it; empty: nothing
  bool is_unknown = false;  ///< it names what only QEMU understands
};

/// Of any file but a qcow2 image: nothing.
Backing read_backing(const std::string& path) {
  const auto file = open_to_read(path);
  if (!file.is_open) return {};
  const auto header = read_qcow2_header(file.read, file.size);
  Backing backing{header.backing, header.has_data_file};
  auto& name = backing.name;
  if (name.starts_with("file:")) name.erase(0, 5);
  // "json:{…}", "nbd://…"
  if (name.find(':') < name.find('/')) {
    backing.is_unknown = true;
    name.clear();
  }
  return backing;
}

FileFacts probe_file(const std::string& path) {
  FileFacts facts;
  std::error_code ignored;
  facts.real_path = std::filesystem::weakly_canonical(path, ignored).string();
  facts.reachable =
      is_reachable(path) && (facts.real_path == path || is_reachable(facts.real_path));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    facts.obstacle = find_obstacle(path);
    return facts;
  }
  facts.kind = S_ISDIR(info.st_mode)   ? FileFacts::Kind::directory
               : S_ISREG(info.st_mode) ? FileFacts::Kind::regular
                                       : FileFacts::Kind::other;
  const int wanted = S_ISDIR(info.st_mode) ? R_OK | X_OK : R_OK;
  facts.readable = ::access(path.c_str(), wanted) == 0;
  facts.owner = {info.st_uid, info.st_gid};
  facts.mode = info.st_mode & 07777;
  struct statvfs file_system {};
  facts.read_only_mount =
      ::statvfs(path.c_str(), &file_system) == 0 && (file_system.f_flag & ST_RDONLY) != 0;
  return facts;
}

/// Looks at a disk and at every image behind it.
void probe_disk(std::string path, Host& host) {
  for (int i = 0; i < longest_chain && !path.empty(); ++i) {
    auto& facts = host.files[path] = probe_file(path);
    if (facts.kind == FileFacts::Kind::missing || facts.kind == FileFacts::Kind::directory) return;
    facts.contents = read_contents(path);
    const auto [name, is_unknown] = read_backing(path);
    facts.opens_unknown = is_unknown;
    if (name.empty()) return;
    // A relative name starts at the image that has it.
    facts.backing = (std::filesystem::path(path).parent_path() / name).string();
    path = facts.backing;
  }
}

}  // namespace

void probe_files(const Config& config, Host& host) {
  host.files.clear();
  std::vector<std::string> paths = {host.firmware, host.temporary_folder,
                                    host.runtime_folder + "/" + config.guest_name.value};
  paths.push_back(host.qemu);
  if (host.virtiofsd) paths.push_back(host.virtiofsd->path);
  for (const auto& share : config.shares) paths.push_back(share.source.value);
  for (const auto* words : {&config.extra_args.value, &config.qemu_args}) {
    for (const auto& drive : find_own_drives(*words)) {
      probe_disk(absolute_path(drive.path, {}, host.working_folder), host);
    }
  }
  for (const auto& path : paths) {
    if (path.empty()) continue;
    const auto whole = absolute_path(path, host.home, host.working_folder);
    host.files.emplace(whole, probe_file(whole));
  }
  std::vector<std::string> boot_files = {config.kernel.value, config.initrd.value};
  if (host.guest) boot_files.insert(boot_files.end(), {host.guest->kernel, host.guest->initrd});
  for (const auto& path : boot_files) {
    if (path.empty()) continue;
    const auto whole = absolute_path(path, host.home, host.working_folder);
    auto& facts = host.files[whole] = probe_file(whole);
    facts.contents = read_contents(whole);
  }
  if (host.guest) probe_disk(host.guest->disk, host);
  if (config.persist.value) {
    probe_disk(persistent_disk_of(config, host.home, host.working_folder), host);
  }
}

}  // namespace vmr
