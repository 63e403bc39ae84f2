// SPDX-License-Identifier: MIT
#include "spec/start_paths.hpp"

#include "base/paths.hpp"
#include "config/absolute_arguments.hpp"
#include "config/own_drives.hpp"
#include "config/persistent_disk.hpp"
#include "spec/guest.hpp"

#include <set>

namespace vmr {
namespace {

/// Puts the list together; what is empty is not in it.
class StartPaths {
 public:
  StartPaths(const Config& config, const Host& host) : config_(config), host_(host) {}

  void add(std::string what, const std::string& path, std::optional<StartKind> kind) {
    if (!path.empty()) paths_.push_back({std::move(what), path, {}, kind});
  }

  void add_given(const Given<std::string>& given, StartKind kind) {
    if (given.value.empty()) return;
    paths_.push_back({given.origin.variable,
                      absolute_path(given.value, host_.home, host_.working_folder),
                      given.origin.place, kind});
  }

  void add_folder(std::string what, const std::string& path, std::optional<StartKind> kind) {
    if (!path.empty()) paths_.push_back({std::move(what), path, {}, kind, true});
  }

  /// An image, and each one behind it.
  void add_chain(const std::string& what, const std::string& image, StartKind kind) {
    std::set<std::string> seen;
    for (auto path = image; !path.empty() && seen.insert(path).second;
         path = facts_of(path, host_).backing) {
      add(seen.size() == 1 ? what : "the image behind " + what, path, kind);
    }
  }

  void add_guest();
  void add_arguments();
  void add_kept();
  void add_folders();

  std::vector<StartPath> take() { return std::move(paths_); }

 private:
  const Config& config_;
  const Host& host_;
  std::vector<StartPath> paths_;
};

void StartPaths::add_guest() {
  if (config_.base_image.value != no_base_image) add_given(config_.base_image, StartKind::image);
  if (const auto guest = chosen_guest(config_, host_)) {
    add("the guest's guest.toml", host_.guest_toml, StartKind::image);
    add_chain("the guest's disk", guest->disk, StartKind::image);
    add("the guest's kernel", guest->kernel, StartKind::kernel);
    add("the guest's initrd", guest->initrd, StartKind::kernel);
  }
  add_given(config_.kernel, StartKind::kernel);
  add_given(config_.initrd, StartKind::kernel);
  add_given(config_.cloud_init_user_data, StartKind::user_data);
  add_given(config_.guest_password_file, StartKind::user_data);
}

void StartPaths::add_arguments() {
  for (const auto* words : {&config_.extra_args.value, &config_.qemu_args}) {
    // Whether it is there makes no difference: a guest may make it.
    const auto named =
        make_absolute(*words, host_.working_folder, [](const std::string&) { return true; });
    for (const auto& path : named.paths) {
      add("a file of your own QEMU arguments", path, StartKind::arguments);
    }
    for (const auto& drive : find_own_drives(*words)) {
      const auto path = absolute_path(drive.path, {}, host_.working_folder);
      add_chain("a disk of your own QEMU arguments", path, StartKind::arguments);
    }
    if (!named.unread.empty()) {
      add("the folder that QEMU works in", host_.working_folder, StartKind::arguments);
    }
  }
}

void StartPaths::add_kept() {
  const auto disk =
      persistent_disk_of(config_, host_.home, host_.working_folder, host_.has_data_volume);
  const auto folder = disk.substr(0, disk.rfind('/'));
  const auto& place = config_.data_dir.origin.place;
  // Where nothing is kept, and nobody named it, there is none.
  const bool is_used = config_.persist.value || !config_.data_dir.value.empty() ||
                       facts_of(folder, host_).kind != FileFacts::Kind::missing;
  if (is_used) paths_.push_back({"DATA_DIR", folder, place, StartKind::data});
  if (!config_.persist.value) return;
  add_chain("the guest's persistent disk", disk, StartKind::data);
  add("the record of the persistent disk", record_path_of(disk), StartKind::data);
  const auto& record = host_.disk_place.record;
  if (!record) return;
  if (!record->is_copy) {
    for (const auto& image : record->images) {
      add("the image behind the guest's persistent disk", image.path, StartKind::data);
    }
  }
  add("the kernel of the persistent disk", record->kernel, StartKind::data);
  add("the initrd of the persistent disk", record->initrd, StartKind::data);
}

void StartPaths::add_folders() {
  add_folder("the runtime directory", host_.runtime_folder, std::nullopt);
  // Made only for a VM whose name is long.
  const auto& other = host_.short_runtime_folder;
  if (facts_of(other, host_).kind != FileFacts::Kind::missing) {
    add_folder("the runtime directory", other, std::nullopt);
  }
  add("the temporary directory", host_.temporary_folder, StartKind::temporary);
  add_folder("the cache directory", host_.cache_folder, StartKind::cache);
  add_folder("the directory that names virtiofsd", host_.description_folder, StartKind::programs);
  add("QEMU", host_.qemu, StartKind::programs);
  add("QEMU's firmware", host_.firmware, StartKind::programs);
  if (host_.virtiofsd) add("virtiofsd", host_.virtiofsd->path, StartKind::programs);
  for (const auto& program : host_.programs) add("a program", program, StartKind::programs);
  for (const auto& folder : host_.program_folders) {
    add_folder("the libraries or data of programs", folder, StartKind::programs);
  }
}

}  // namespace

std::vector<StartPath> start_paths(const Config& config, const Host& host) {
  StartPaths paths(config, host);
  // It is opened as it is named: no `~` is read in it.
  if (!config.config_file.empty()) {
    paths.add("the configuration file", absolute_path(config.config_file, {}, host.working_folder),
              StartKind::configuration);
  }
  paths.add_guest();
  paths.add_arguments();
  paths.add_kept();
  paths.add_folders();
  return paths.take();
}

std::vector<std::string> paths_of(const std::vector<StartPath>& starts) {
  std::vector<std::string> paths;
  for (const auto& start : starts) paths.push_back(start.path);
  return paths;
}

}  // namespace vmr
