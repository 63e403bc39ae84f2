// SPDX-License-Identifier: MIT
#include "host/probe_files.hpp"

#include "base/paths.hpp"
#include "config/absolute_arguments.hpp"
#include "config/argument_files.hpp"
#include "host/file_contents.hpp"
#include "host/file_systems.hpp"
#include "host/mounts.hpp"
#include "host/path_steps.hpp"
#include "host/probe_disks.hpp"
#include "host/probe_tree.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace vmr {
namespace {

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

/// What leads to `path` beside what is above it, by real paths and places.
std::vector<std::string> find_passed(const std::string& path, const std::string& real_path) {
  auto steps = follow_path(path);
  // A link to what is not there leads somewhere all the same.
  if (steps.end != real_path) steps.passed.push_back(steps.end);
  std::vector<std::string> names;
  for (auto& step : steps.passed) {
    names.push_back(find_place(step).place);
    names.push_back(std::move(step));
  }
  return names;
}

}  // namespace

FileFacts probe_file(const std::string& path) {
  FileFacts facts;
  std::error_code ignored;
  facts.real_path = std::filesystem::weakly_canonical(path, ignored).string();
  // Of a path that no file can have.
  if (facts.real_path.empty()) facts.real_path = path;
  const auto place = find_place(facts.real_path);
  facts.place = place.place;
  facts.on_root_mount = place.on_root_mount;
  facts.root_has_layers = place.root_has_layers;
  facts.passed = find_passed(path, facts.real_path);
  facts.reachable =
      is_reachable(path) && (facts.real_path == path || is_reachable(facts.real_path));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    facts.obstacle = find_obstacle(path);
    const auto parent = std::filesystem::path(path).parent_path();
    if (!std::filesystem::exists(parent, ignored)) facts.missing_parent = parent.string();
    facts.lacks_user_attributes = lacks_user_attributes(parent.string());
    return facts;
  }
  facts.kind = S_ISDIR(info.st_mode)   ? FileFacts::Kind::directory
               : S_ISREG(info.st_mode) ? FileFacts::Kind::regular
                                       : FileFacts::Kind::other;
  const int wanted = S_ISDIR(info.st_mode) ? R_OK | X_OK : R_OK;
  facts.readable = ::access(path.c_str(), wanted) == 0;
  facts.owner = {info.st_uid, info.st_gid};
  facts.mode = info.st_mode & 07777;
  facts.names = S_ISREG(info.st_mode) ? info.st_nlink : 1;
  facts.changed = info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
  facts.lacks_user_attributes = lacks_user_attributes(path);
  facts.kernel_file_system = kernel_file_system_of(path);
  struct statvfs file_system {};
  facts.read_only_mount =
      ::statvfs(path.c_str(), &file_system) == 0 && (file_system.f_flag & ST_RDONLY) != 0;
  return facts;
}

void probe_also(const std::vector<std::string>& paths, Host& host) {
  for (const auto& path : paths) {
    if (!host.files.contains(path)) host.files.emplace(path, probe_file(path));
  }
}

void probe_files(const Config& config, Host& host) {
  host.files.clear();
  std::vector<std::string> paths = {host.firmware,
                                    host.temporary_folder,
                                    host.runtime_folder,
                                    config.base_image.value,
                                    config.guest_password_file.value,
                                    host.runtime_folder + "/" + config.guest_name.value,
                                    host.short_runtime_folder,
                                    host.short_runtime_folder + "/" + config.guest_name.value};
  paths.push_back(host.qemu);
  if (host.virtiofsd) paths.push_back(host.virtiofsd->path);
  for (const auto& share : config.shares) paths.push_back(share.source.value);
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
  for (const auto& share : config.shares) {
    if (share.source.value.empty()) continue;
    auto& facts = host.files[absolute_path(share.source.value, host.home, host.working_folder)];
    facts.mounts_below = find_mounts_below(facts.real_path);
  }
  for (const auto& share : config.shares) {
    if (share.accessmode.value != AccessMode::mapped) continue;
    const auto source = absolute_path(share.source.value, host.home, host.working_folder);
    auto& facts = host.files[source];
    if (facts.kind == FileFacts::Kind::directory) facts.link = find_link(source);
  }
  for (const auto* words : {&config.extra_args.value, &config.qemu_args}) {
    // For the plan, which makes a path only of what is there.
    make_absolute(*words, host.working_folder, [&](const std::string& path) {
      return host.files.emplace(path, probe_file(path)).second;
    });
    for (const auto& file : find_argument_files(*words)) {
      if (file.path.empty()) continue;
      const std::filesystem::path whole = absolute_path(file.path, {}, host.working_folder);
      for (const auto& path : {whole, whole.parent_path()}) {
        if (!host.files.contains(path.string())) {
          host.files.emplace(path.string(), probe_file(path.string()));
        }
      }
    }
  }
  probe_disks(config, host);
}

}  // namespace vmr
