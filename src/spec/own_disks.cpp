// SPDX-License-Identifier: MIT
#include "spec/own_disks.hpp"

#include "base/paths.hpp"
#include "base/shell_words.hpp"
#include "config/own_drives.hpp"
#include "spec/disk.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

using Kind = FileContents::Kind;

/// Formats whose images name no other file.
constexpr std::array<std::string_view, 9> lone_formats = {
    "raw", "vdi", "vpc", "vhdx", "parallels", "cloop", "dmg", "bochs", "luks"};

template <typename List, typename Value>
bool has(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// Why a drive may open what only QEMU knows of, or what it must not; empty: it does not.
WrongFile find_wrong(const OwnDrive& drive, const std::string& path, const Config& config,
                     const Host& host, std::vector<DiskImage>& behind) {
  if (has(lone_formats, drive.format)) return {};
  const auto kind = facts_of(path, host).contents.kind;
  const bool is_format_of_others = drive.format.empty()
                                       ? has(std::array{Kind::vmdk, Kind::qed, Kind::qcow1}, kind)
                                       : drive.format != "qcow2";
  if (is_format_of_others) {
    return {"its format may name other files in ways that only QEMU reads",
            "make a qcow2 image of it: qemu-img convert -p -O qcow2 " + shell_quote(path) + " " +
                shell_quote(path + ".qcow2")};
  }
  auto chain = follow_chain(config, host, path);
  behind = std::move(chain.behind);
  return std::move(chain.wrong);
}

bool stays_root(const VmSpec& spec, const Host& host) {
  return host.uid == 0 &&
         std::any_of(spec.shares.begin(), spec.shares.end(), [](const Share& share) {
           return share.driver == Driver::ninep && share.accessmode != AccessMode::mapped;
         });
}

void resolve_words(const std::vector<std::string>& words, const std::string& subject,
                   const std::string& origin, const Config& config, const Host& host, VmSpec& spec,
                   Findings& findings) {
  for (const auto& drive : find_own_drives(words)) {
    OwnDisk disk{absolute_path(drive.path, {}, host.working_folder), drive.is_read_only, {}};
    auto wrong = find_wrong(drive, disk.path, config, host, disk.behind);
    const bool is_allowed = config.allow_unknown_images.value;
    const auto reason = fmt::format("{}: the disk '{}': {}", subject, drive.path, wrong.reason);
    if (!wrong.reason.empty() && !is_allowed) {
      findings.problems.push_back(
          {reason, origin,
           wrong.hint + "; or ALLOW_UNKNOWN_IMAGES=1 takes it as it is, and QEMU then has neither "
                        "rules for files nor capabilities"});
    } else if (!wrong.reason.empty() && stays_root(spec, host)) {
      findings.problems.push_back(
          {reason + ", and a 9p share keeps QEMU root", origin,
           "share by virtiofs, or by 9p with ACCESSMODE=mapped; or " + wrong.hint});
    }
    spec.opens_unknown |= !wrong.reason.empty();
    spec.own_disks.push_back(std::move(disk));
  }
}

}  // namespace

void resolve_own_disks(const Config& config, const Host& host, VmSpec& spec, Findings& findings) {
  const auto& extra = config.extra_args;
  resolve_words(extra.value, extra.origin.variable, describe(extra.origin), config, host, spec,
                findings);
  resolve_words(config.qemu_args, "QEMU arguments", "behind -- (command line)", config, host, spec,
                findings);
}

}  // namespace vmr
