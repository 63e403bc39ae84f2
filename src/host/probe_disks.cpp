// SPDX-License-Identifier: MIT
#include "host/probe_disks.hpp"

#include "base/paths.hpp"
#include "config/own_drives.hpp"
#include "config/persistent_disk.hpp"
#include "host/file_contents.hpp"
#include "host/fingerprint.hpp"
#include "host/mounts.hpp"
#include "host/probe_files.hpp"
#include "host/trusted_path.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace vmr {
namespace {

/// Longer chains of images than anybody makes; they may also be rings.
constexpr int longest_chain = 64;

/// What the header of a disk image says of other files. Of any file but a qcow2 image: nothing.
void read_header(const std::string& path, FileFacts& facts) {
  const auto file = open_to_read(path);
  if (!file.is_open) return;
  auto header = read_qcow2_header(file.read, file.size);
  facts.has_data_file = header.has_data_file;
  facts.data_file = std::move(header.data_file);
  facts.opens_unknown = header.has_data_file;
  auto name = header.backing;
  if (name.starts_with("file:")) name.erase(0, 5);
  if (name.empty()) return;
  // "json:{…}", "nbd://…"
  if (name.find(':') < name.find('/')) {
    facts.opens_unknown = true;
    return;
  }
  // A relative name starts at the image that has it.
  facts.backing = (std::filesystem::path(path).parent_path() / name).string();
  facts.backing_format = header.backing_format;
}

/// Looks at a disk, and says whether it is one to read from.
bool probe_image(const std::string& path, Host& host) {
  auto& facts = host.files[path] = probe_file(path);
  if (facts.kind == FileFacts::Kind::missing || facts.kind == FileFacts::Kind::directory) {
    return false;
  }
  facts.contents = read_contents(path);
  read_header(path, facts);
  return true;
}

/// Looks at a disk and at every image behind it.
std::vector<std::string> probe_chain(std::string path, Host& host) {
  std::vector<std::string> chain;
  while (chain.size() < longest_chain && !path.empty() && probe_image(path, host)) {
    chain.push_back(path);
    path = host.files[path].backing;
  }
  return chain;
}

void take_fingerprint(const std::string& path, Host& host) {
  const auto file = open_to_read(path);
  if (file.is_open) host.files[path].fingerprint = fingerprint_of(file.read, file.size);
}

std::string nearest_folder(const std::string& path) {
  std::filesystem::path nearest = path;
  while (::access(nearest.c_str(), F_OK) != 0 && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  return nearest.string();
}

/// Who else could have put the file of a persistent disk at `path`: its own owner says so of all
/// but a link, which counts only where the folder is nobody else's at all.
std::string find_stranger_of(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISLNK(facts.st_mode)) return {};
  auto stranger = find_stranger(std::filesystem::path(path).parent_path().string());
  return stranger.empty() ? find_other_stranger(path) : stranger;
}

void read_record(const std::string& disk, Host& host) {
  constexpr std::size_t longest = 1 << 20;
  const auto path = record_path_of(disk);
  auto& place = host.disk_place;
  auto& facts = host.files[path] = probe_file(path);
  facts.stranger = find_stranger_of(path);
  std::error_code ignored;
  place.has_record = std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
  const auto file = open_to_read(path);
  if (!file.is_open || file.size > longest) return;
  place.record = read_disk_record(file.read(0, longest));
  if (!place.record) return;
  for (const auto& kept : {place.record->kernel, place.record->initrd}) {
    if (kept.empty()) continue;
    host.files[kept] = probe_file(kept);
    host.files[kept].contents = read_contents(kept);
    host.files[kept].stranger = find_stranger_of(kept);
  }
  if (place.record->is_copy || place.record->images.empty()) return;
  const auto& base = place.record->images.front().path;
  if (host.files.contains(base) || !probe_image(base, host)) return;
  take_fingerprint(base, host);
}

/// Where a persistent disk is, or would be.
std::string probe_data_folder(const Config& config, Host& host) {
  host.has_data_volume = is_container(host.surroundings) && is_mount_point("/data");
  const auto path =
      persistent_disk_of(config, host.home, host.working_folder, host.has_data_volume);
  const auto folder = std::filesystem::path(path).parent_path().string();
  auto& facts = host.files[folder] = probe_file(folder);
  if (config.persist.value) {
    const bool is_named = names_data_folder(config, host.has_data_volume);
    facts.stranger = is_named ? find_other_stranger(folder) : find_stranger(folder);
  }
  return path;
}

void probe_persistent(const std::string& path, const std::vector<std::string>& chain, Host& host) {
  for (const auto& image : chain) take_fingerprint(image, host);
  probe_image(path, host);
  host.files[path].stranger = find_stranger_of(path);
  const auto& backing = host.files[path].backing;
  if (!backing.empty() && !host.files.contains(backing)) host.files[backing] = probe_file(backing);
  read_record(path, host);
  struct statvfs file_system {};
  if (::statvfs(nearest_folder(path).c_str(), &file_system) == 0) {
    host.disk_place.free = file_system.f_bavail * static_cast<std::uint64_t>(file_system.f_frsize);
  }
}

}  // namespace

void probe_disks(const Config& config, Host& host) {
  for (const auto* words : {&config.extra_args.value, &config.qemu_args}) {
    for (const auto& drive : find_own_drives(*words)) {
      probe_chain(absolute_path(drive.path, {}, host.working_folder), host);
    }
  }
  std::vector<std::string> chain;
  if (host.guest && !host.guest->disk.empty()) chain = probe_chain(host.guest->disk, host);
  // Where the images behind it may be.
  std::vector<std::string> folders;
  for (const auto& image : chain) {
    folders.push_back(std::filesystem::path(image).parent_path().string());
  }
  if (!config.backing_dir.value.empty()) {
    folders.push_back(absolute_path(config.backing_dir.value, host.home, host.working_folder));
  }
  for (const auto& folder : folders) host.files.emplace(folder, probe_file(folder));
  const auto disk = probe_data_folder(config, host);
  if (config.persist.value) probe_persistent(disk, chain, host);
}

}  // namespace vmr
