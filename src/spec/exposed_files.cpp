// SPDX-License-Identifier: MIT
#include "spec/exposed_files.hpp"

#include "base/paths.hpp"
#include "config/persistent_disk.hpp"
#include "spec/guest.hpp"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

namespace vmr {
namespace {

/// A path that the guest must not write to, and what it is.
struct Exposed {
  std::string path;
  std::string what;
};

bool is_at_or_below(const std::string& path, const std::string& folder) {
  if (path.empty() || folder.empty()) return false;
  return path == folder || path.starts_with(folder.ends_with('/') ? folder : folder + '/');
}

/// Whether `inner` is in the folder `outer`, by their real paths or by where they are on a device.
bool is_in(const std::string& inner, const std::string& outer, const Host& host) {
  const auto& one = facts_of(inner, host);
  const auto& other = facts_of(outer, host);
  return is_at_or_below(one.real_path.empty() ? inner : one.real_path,
                        other.real_path.empty() ? outer : other.real_path) ||
         is_at_or_below(one.place, other.place);
}

std::vector<Exposed> exposed_files(const Config& config, const Host& host) {
  std::vector<Exposed> files;
  const auto guest = chosen_guest(config, host);
  if (guest && !config.base_image.value.empty()) {
    files.push_back(
        {absolute_path(config.base_image.value, host.home, host.working_folder), "BASE_IMAGE"});
  }
  std::set<std::string> seen;
  for (auto path = guest ? guest->disk : ""; !path.empty() && seen.insert(path).second;
       path = facts_of(path, host).backing) {
    files.push_back({path, files.empty() || seen.size() == 1
                               ? "the guest's disk image"
                               : "the image behind the guest's disk"});
  }
  const auto disk =
      persistent_disk_of(config, host.home, host.working_folder, host.has_data_volume);
  const auto folder = disk.substr(0, disk.rfind('/'));
  // Where nothing is kept, and nobody named it, there is none.
  const bool is_used = config.persist.value || !config.data_dir.value.empty() ||
                       facts_of(folder, host).kind != FileFacts::Kind::missing;
  if (is_used) files.push_back({folder, "DATA_DIR"});
  if (config.persist.value) files.push_back({disk, "the guest's persistent disk"});
  files.push_back({host.runtime_folder, "the runtime directory"});
  if (!config.guest_password_file.value.empty()) {
    files.push_back(
        {absolute_path(config.guest_password_file.value, host.home, host.working_folder),
         "GUEST_PASSWORD_FILE"});
  }
  return files;
}

}  // namespace

void check_exposed_files(const Config& config, const ShareConfig& asked, const Share& share,
                         const Host& host, Findings& findings) {
  if (share.readonly || share.source.empty()) return;
  // Which is said already.
  const auto& real_path = facts_of(share.source, host).real_path;
  if ((real_path.empty() ? share.source : real_path) == "/") return;
  const auto hint =
      fmt::format("share another folder, or set {}=1", asked.readonly.origin.variable);
  for (const auto& [path, what] : exposed_files(config, host)) {
    if (!is_in(path, share.source, host)) continue;
    findings.refuse(asked.source,
                    fmt::format("it has {} in it, '{}': what the guest writes there decides what "
                                "the next start opens",
                                what, path),
                    hint);
    return;
  }
  if (!is_in(share.source, host.runtime_folder, host)) return;
  findings.refuse(asked.source,
                  fmt::format("it is in the runtime directory '{}'", host.runtime_folder),
                  "share another folder");
}

}  // namespace vmr
