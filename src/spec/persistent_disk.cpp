// SPDX-License-Identifier: MIT
#include "config/persistent_disk.hpp"

#include "base/own_user.hpp"
#include "base/shell_words.hpp"
#include "config/disk_record.hpp"
#include "spec/boot_files.hpp"
#include "spec/disk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

constexpr std::string_view start_anew =
    "to begin with an empty disk, set another GUEST_NAME or DATA_DIR, or move this one away: ";

std::string move_away(const Disk& disk) {
  return fmt::format("{}mv {} {}", start_anew, shell_quote(disk.persistent),
                     shell_quote(disk.persistent + ".old"));
}

/// What a disk that is made now is made over.
DiskRecord record_now(const Host& host, const GuestImage& guest, const Disk& disk) {
  DiskRecord record;
  record.digest = guest.digest;
  record.images.push_back({disk.image, disk.format, facts_of(disk.image, host).fingerprint});
  for (const auto& image : disk.behind) {
    record.images.push_back({image.path, image.format, facts_of(image.path, host).fingerprint});
  }
  return record;
}

/// Whether both have the same contents, wherever their images are.
bool is_same(const DiskRecord& a, const DiskRecord& b) {
  if (!a.digest.empty() && !b.digest.empty() && a.digest != b.digest) return false;
  return std::equal(a.images.begin(), a.images.end(), b.images.begin(), b.images.end(),
                    [](const RecordedImage& x, const RecordedImage& y) {
                      return x.format == y.format && x.fingerprint == y.fingerprint;
                    });
}

std::string size_text(std::uint64_t bytes) {
  const auto mebibytes = (bytes >> 20) + 1;
  return mebibytes < 1024 ? fmt::format("{} MiB", mebibytes)
                          : fmt::format("{:.1f} GiB", static_cast<double>(mebibytes) / 1024);
}

std::string folder_of(const Disk& disk) {
  return disk.persistent.substr(0, disk.persistent.rfind('/'));
}
std::string kernel_beside(const Disk& disk) {
  return disk.persistent.substr(0, disk.persistent.rfind('.')) + ".kernel";
}
std::string initrd_beside(const Disk& disk) {
  return disk.persistent.substr(0, disk.persistent.rfind('.')) + ".initrd";
}

/// The kernel of a guest belongs to the modules on its disk: a copy keeps both.
void keep_kernel(const Config& config, const GuestImage& guest, Disk& disk, DiskRecord& record) {
  if (guest.kernel.empty() || !config.kernel.value.empty()) return;
  record.kernel = kernel_beside(disk);
  disk.copies.emplace_back(guest.kernel, record.kernel);
  if (!guest.initrd.empty()) {
    record.initrd = initrd_beside(disk);
    disk.copies.emplace_back(guest.initrd, record.initrd);
  }
  record.cmdline = guest.cmdline;
}

void plan_new_disk(const Config& config, const Host& host, const GuestImage& guest, Disk& disk,
                   Findings& findings) {
  disk.is_copy = is_made_as_copy(config, is_container(host.surroundings));
  auto record = record_now(host, guest, disk);
  record.is_copy = disk.is_copy;
  if (disk.is_copy) {
    keep_kernel(config, guest, disk, record);
    const auto& place = host.disk_place;
    if (!place.copy_problem.empty()) {
      findings.refuse(config.persist,
                      fmt::format("'{}' cannot be copied: {}", disk.image, place.copy_problem),
                      "see what is wrong with the image, or set PERSIST_BASE=overlay");
    } else if (place.copy_size > place.free) {
      findings.refuse(
          config.persist,
          fmt::format("a copy of the image takes {}, and for '{}' there are {}",
                      size_text(place.copy_size), disk.persistent, size_text(place.free)),
          "make room, set DATA_DIR to another folder, or set PERSIST_BASE=overlay, which "
          "needs the image at each start");
    }
  }
  disk.record = print_disk_record(record);
}

/// Whose a file that is found may be: ours, root's, or that of a QEMU which had it.
bool is_trusted(std::uint32_t uid, const Config& config, const Host& host) {
  const auto& user = config.qemu_user.value;
  const bool is_chosen = user.kind == QemuUser::Kind::given && user.given.uid == uid;
  const bool was_qemus = host.uid == 0 && uid >= first_own_user && uid <= last_earlier_user;
  return uid == host.uid || uid == 0 || is_chosen || was_qemus;
}

/// Refuses what somebody else could choose in the folder of `disk`.
void refuse_place(const Config& config, const Host& host, const Disk& disk,
                  const std::string& reason, const std::string& hint, Findings& findings) {
  const auto& given = config.data_dir;
  const auto folder = folder_of(disk);
  auto way_out = fmt::format(
      "{}, or set DATA_DIR to a folder that nobody but you and root may write to", hint);
  if (!names_data_folder(config, host.has_data_volume)) {
    way_out += fmt::format(" (this one is chosen by HOME, '{}')", host.home);
  }
  findings.problems.push_back(
      {fmt::format("DATA_DIR='{}': {}", given.value.empty() ? folder : given.value, reason),
       describe(given.origin), std::move(way_out)});
}

/// Whether nobody else chooses what is in the folder of `disk`.
bool is_folder_sound(const Config& config, const Host& host, const Disk& disk, Findings& findings) {
  const auto& stranger = facts_of(folder_of(disk), host).stranger;
  // A container's volume has the modes that the engine gives it, and no other users are there.
  const bool is_volume =
      is_container(host.surroundings) && names_data_folder(config, host.has_data_volume);
  if (stranger.empty() || is_volume || config.allow_open_data_dir.value) return true;
  refuse_place(config, host, disk,
               stranger + ", and so somebody else could choose the persistent disk and its kernel",
               "chown or chmod what is named here", findings);
  findings.problems.back().hint += "; ALLOW_OPEN_DATA_DIR=1 takes it as it is";
  return false;
}

/// The same of a link at `path`, by which `what` is found.
bool is_link_sound(const Config& config, const Host& host, const Disk& disk, std::string_view what,
                   const std::string& path, Findings& findings) {
  const auto& stranger = facts_of(path, host).stranger;
  if (stranger.empty()) return true;
  refuse_place(config, host, disk,
               fmt::format("{} '{}' is a symbolic link that somebody else could choose: {}", what,
                           path, stranger),
               "put the file itself there", findings);
  return false;
}

/// Whether what was found at `path` beside the disk is what a launcher put there.
bool is_kept_file_sound(const Config& config, const Host& host, const Disk& disk,
                        std::string_view what, const std::string& path, Findings& findings) {
  if (!is_link_sound(config, host, disk, what, path, findings)) return false;
  const auto& facts = facts_of(path, host);
  if (facts.kind == FileFacts::Kind::missing) return true;
  const bool is_ours = is_trusted(facts.owner.uid, config, host);
  if (is_ours && facts.names == 1) return true;
  const auto hint = is_ours
                        ? std::string("put a copy in its place")
                        : fmt::format("if it is yours, chown {} {}", host.uid, shell_quote(path));
  const auto reason = is_ours ? fmt::format("has {} names (hard links)", facts.names)
                              : fmt::format("belongs to user {}", facts.owner.uid);
  refuse_place(config, host, disk,
               fmt::format("{} '{}' {}, and so somebody else could choose it", what, path, reason),
               hint, findings);
  return false;
}

/// Boots a copy with the kernel that is kept with it.
void take_kept_kernel(const Config& config, const Host& host, const DiskRecord& record,
                      const Disk& disk, Boot& boot, Findings& findings) {
  if (!config.kernel.value.empty()) return;
  // Only what is beside the disk is its own, whatever the record says.
  const bool has_initrd = !record.initrd.empty();
  if (record.kernel != kernel_beside(disk)) return;
  if (has_initrd && record.initrd != initrd_beside(disk)) return;
  const bool is_sound = is_kept_file_sound(config, host, disk, "the kernel of the persistent disk",
                                           record.kernel, findings);
  if (!is_sound || facts_of(record.kernel, host).kind != FileFacts::Kind::regular) return;
  boot.kernel = record.kernel;
  if (config.initrd.value.empty() &&
      is_kept_file_sound(config, host, disk, "the initrd of the persistent disk", record.initrd,
                         findings)) {
    boot.initrd = record.initrd;
  }
  boot.cmdline = record.cmdline;
  const auto& more = config.cmdline.value;
  if (!more.empty()) boot.cmdline += (boot.cmdline.empty() ? "" : " ") + more;
}

/// An overlay must have what it was made over.
void compare_base(const Config& config, const Host& host, const DiskRecord& record,
                  const DiskRecord& now, const Disk& disk, Findings& findings) {
  if (is_same(record, now)) return;
  const auto& old = record.images.front();
  const bool is_same_path = old.path == disk.image;
  const auto& old_facts = facts_of(old.path, host);
  const bool is_still_there = !is_same_path && old_facts.kind == FileFacts::Kind::regular &&
                              old_facts.fingerprint == old.fingerprint;
  const auto reason =
      is_same_path ? fmt::format(
                         "the persistent disk '{}' was made over '{}' as it was then; what is in "
                         "that image now is something else, with which the disk would be garbage",
                         disk.persistent, disk.image)
                   : fmt::format(
                         "the persistent disk '{}' was made over '{}'{}; over '{}' it would be "
                         "garbage",
                         disk.persistent, old.path,
                         is_still_there ? "" : ", which is gone or changed", disk.image);
  const auto keep = is_still_there ? fmt::format("set BASE_IMAGE to the image it was made over")
                                   : fmt::format("put back the image it was made over");
  findings.refuse(config.persist, reason, fmt::format("{}; {}", keep, move_away(disk)));
}

/// A disk that was made before there were records, or by hand.
void adopt(const Config& config, const Host& host, const GuestImage& guest, Disk& disk,
           Findings& findings) {
  const auto& facts = facts_of(disk.persistent, host);
  const auto& image = facts_of(disk.image, host);
  auto record = record_now(host, guest, disk);
  const auto record_path = record_path_of(disk.persistent);
  const auto rebase = fmt::format("qemu-img rebase -u -b {} -F {} {}", shell_quote(disk.image),
                                  disk.format, shell_quote(disk.persistent));
  const auto real_of = [&](const std::string& path) {
    const auto& real = facts_of(path, host).real_path;
    return real.empty() ? path : real;
  };
  if (facts.opens_unknown || real_of(facts.backing) != real_of(disk.image)) {
    findings.refuse(
        config.persist,
        fmt::format("nothing tells what the persistent disk '{}' was made over: its header names "
                    "{}, and the image is '{}'",
                    disk.persistent,
                    facts.opens_unknown ? "no path" : fmt::format("'{}'", facts.backing),
                    disk.image),
        fmt::format("if it was made over this image, say so: {}; {}", rebase, move_away(disk)));
    return;
  }
  if (image.changed > facts.changed) {
    findings.refuse(
        config.persist,
        fmt::format("the image '{}' is newer than the persistent disk '{}', and nothing tells "
                    "whether it is the one that the disk was made over",
                    disk.image, disk.persistent),
        fmt::format("if it is, say so: {}; {}", rebase, move_away(disk)));
    return;
  }
  findings.warnings.push_back(
      fmt::format("the persistent disk '{}' has no record of the image it was made over; it is "
                  "taken to be '{}' as it is now, which '{}' says from now on",
                  disk.persistent, disk.image, record_path));
  disk.record = print_disk_record(record);
}

/// Whether the file of a persistent disk is one that QEMU may open at all.
bool is_sound(const Config& config, const Host& host, const Disk& disk, Findings& findings) {
  using Kind = FileContents::Kind;
  const auto& facts = facts_of(disk.persistent, host);
  const auto& contents = facts.contents;
  if (facts.kind != FileFacts::Kind::regular) {
    findings.refuse(config.persist, fmt::format("'{}' is there and no file", disk.persistent),
                    move_away(disk));
  } else if (!is_trusted(facts.owner.uid, config, host)) {
    findings.refuse(config.persist,
                    fmt::format("the persistent disk '{}' belongs to user {}, and what is written "
                                "there could be another file of theirs",
                                disk.persistent, facts.owner.uid),
                    fmt::format("if it is yours, chown {} {}; {}", host.uid,
                                shell_quote(disk.persistent), move_away(disk)));
  } else if (facts.names > 1) {
    findings.refuse(
        config.persist,
        fmt::format("the persistent disk '{}' is also another file: it has {} names "
                    "(hard links)",
                    disk.persistent, facts.names),
        "remove the others, or make a copy and put it in its place; " + move_away(disk));
  } else if (facts.has_data_file) {
    findings.refuse(config.persist,
                    fmt::format("the header of the persistent disk '{}' says that its contents are "
                                "in another file, which vm-runner never makes",
                                disk.persistent),
                    "somebody has rewritten it: do not start it; " + move_away(disk));
  } else if (contents.kind != Kind::qcow2 && contents.kind != Kind::unread) {
    const auto wrong = check_disk(disk.persistent, contents, false);
    const auto what = wrong ? wrong->reason : std::string("a raw disk");
    findings.refuse(
        config.persist,
        fmt::format("the persistent disk '{}' cannot be used: it is {}", disk.persistent, what),
        fmt::format("put back a good copy, or {}", move_away(disk)));
  } else {
    return true;
  }
  return false;
}

}  // namespace

void resolve_persistent(const Config& config, const Host& host, const GuestImage& guest, Boot& boot,
                        Disk& disk, Findings& findings) {
  if (!is_folder_sound(config, host, disk, findings)) return;
  if (!is_link_sound(config, host, disk, "the persistent disk", disk.persistent, findings)) return;
  const auto& facts = facts_of(disk.persistent, host);
  if (facts.kind == FileFacts::Kind::missing) {
    plan_new_disk(config, host, guest, disk, findings);
    return;
  }
  if (!is_sound(config, host, disk, findings)) return;
  if (!is_kept_file_sound(config, host, disk, "the record of the persistent disk",
                          record_path_of(disk.persistent), findings)) {
    return;
  }
  const auto& place = host.disk_place;
  if (place.has_record && !place.record) {
    findings.refuse(config.persist,
                    fmt::format("'{}', which says what the persistent disk was made over, is "
                                "damaged",
                                record_path_of(disk.persistent)),
                    "put it back, or remove it: then the disk is looked at as one without it");
    return;
  }
  const bool names_image = facts.opens_unknown || !facts.backing.empty();
  if (place.record && place.record->is_copy) {
    if (names_image) {
      findings.refuse(
          config.persist,
          fmt::format("the header of the persistent disk '{}' names an image behind it, "
                      "'{}', though it was made whole",
                      disk.persistent, facts.backing),
          fmt::format("somebody has rewritten it: do not start it; {}", move_away(disk)));
      return;
    }
    take_kept_kernel(config, host, *place.record, disk, boot, findings);
  }
  // Whole, or made so: it needs no image, whichever there is.
  disk.is_copy = !names_image;
  if (disk.is_copy) return;
  if (!place.record) {
    adopt(config, host, guest, disk, findings);
    return;
  }
  compare_base(config, host, *place.record, record_now(host, guest, disk), disk, findings);
  const auto& recorded = place.record->images.front().path;
  if (facts.opens_unknown || facts.backing != recorded) {
    findings.warnings.push_back(fmt::format(
        "the header of the persistent disk '{}' names '{}' behind it; what was recorded "
        "counts, '{}'",
        disk.persistent, facts.backing, recorded));
  }
}

}  // namespace vmr
