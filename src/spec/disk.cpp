// SPDX-License-Identifier: MIT
#include "spec/disk.hpp"

#include "base/paths.hpp"
#include "config/persistent_disk.hpp"
#include "spec/boot_files.hpp"
#include "spec/given_path.hpp"
#include "spec/guest.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

/// What to do when there is no image. A disk that was made over one cannot do without it.
std::string hint_without_image(const Config& config, const Host& host) {
  const std::string hint =
      "name a disk image, or a folder with a guest.toml (scripts/build-guest makes one)";
  const auto& record = host.disk_place.record;
  if (!config.persist.value || !record || record->is_copy) return hint;
  return fmt::format(
      "put the image back: the persistent disk '{}' was made over '{}' and is nothing without it; "
      "another GUEST_NAME or DATA_DIR begins with an empty disk",
      persistent_disk_of(config, host.home, host.working_folder, host.has_data_volume),
      record->images.front().path);
}

/// Whether it was meant, where nothing is at it.
void check_folder(const Given<std::string>& given, const Host& host, Findings& findings) {
  const auto path = absolute_path(given.value, host.home, host.working_folder);
  if (given.value.empty() || facts_of(path, host).kind != FileFacts::Kind::missing) return;
  if (!refuse_wrapped(given, findings)) refuse_oddity(given, findings);
}

/// A disk on a container's own layer is kept no longer than the container.
void check_place(const Config& config, const Host& host, const Disk& disk, Findings& findings) {
  const auto folder = disk.persistent.substr(0, disk.persistent.rfind('/'));
  if (!is_on_own_layer(facts_of(folder, host), host)) return;
  findings.refuse(config.persist,
                  fmt::format("'{}' is on the container's own layer, and is lost with it", folder),
                  "mount a volume there, or at /data, which is used without a DATA_DIR: docker run "
                  "-v vm-data:/data");
}

}  // namespace

std::vector<DiskImage> images_of(const Disk& disk) {
  if (disk.is_copy) return {};
  std::vector<DiskImage> images = {{disk.image, disk.format}};
  images.insert(images.end(), disk.behind.begin(), disk.behind.end());
  return images;
}

std::optional<Disk> resolve_disk(const Config& config, const Host& host, Boot& boot,
                                 Findings& findings) {
  check_folder(config.backing_dir, host, findings);
  // Also where nothing is kept there: what was given is used, or refused.
  if (!config.persist.value) check_folder(config.data_dir, host, findings);
  if (!host.guest_problem.empty()) {
    if (refuse_wrapped(config.base_image, findings)) return std::nullopt;
    findings.refuse(config.base_image, host.guest_problem, hint_without_image(config, host));
    return std::nullopt;
  }
  if (!host.guest_toml_problems.empty()) {
    const auto& problems = host.guest_toml_problems;
    findings.problems.insert(findings.problems.end(), problems.begin(), problems.end());
    return std::nullopt;
  }
  const auto guest = chosen_guest(config, host);
  if (!guest || guest->disk.empty()) {
    if (config.persist.value) {
      findings.refuse(config.persist, "there is no disk to keep", "set BASE_IMAGE to a disk image");
    }
    return std::nullopt;
  }
  const auto problems = findings.problems.size();
  const bool has_kernel = !guest->kernel.empty() || !config.kernel.value.empty();
  const auto& contents = facts_of(guest->disk, host).contents;
  if (const auto wrong = check_disk(guest->disk, contents, has_kernel)) {
    refuse_file(config.base_image, "disk", guest->disk, guest->disk_origin, *wrong, findings);
  }
  Disk disk{guest->disk, guest->disk_format, ""};
  disk.behind = resolve_chain(config, host, *guest, findings);
  if (config.persist.value) {
    check_folder(config.data_dir, host, findings);
    disk.persistent =
        persistent_disk_of(config, host.home, host.working_folder, host.has_data_volume);
    check_place(config, host, disk, findings);
    // What is said of a disk over an image that is none would be wrong.
    if (findings.problems.size() == problems) {
      resolve_persistent(config, host, *guest, boot, disk, findings);
    }
  }
  if (disk.persistent.empty() && !host.has_temporary_folder) {
    findings.problems.push_back(
        {fmt::format("QEMU keeps the changes of the disk in {}, which cannot be written",
                     host.temporary_folder),
         "",
         "mount something there (docker run --tmpfs " + host.temporary_folder +
             "), set TMPDIR to another folder, or keep the changes with PERSIST=1",
         ExitStatus::host_unsupported});
  }
  return disk;
}

std::optional<Disk> find_disk_to_copy(const Config& config, const Host& host) {
  Findings findings;
  Boot boot;
  auto disk = resolve_disk(config, host, boot, findings);
  if (!disk || !findings.problems.empty() || !disk->is_copy) return std::nullopt;
  const bool is_new = facts_of(disk->persistent, host).kind == FileFacts::Kind::missing;
  return is_new ? std::move(disk) : std::nullopt;
}

}  // namespace vmr
