// SPDX-License-Identifier: MIT
#include "base/shell_words.hpp"
#include "commands/doctor_areas.hpp"
#include "commands/doctor_fixes.hpp"
#include "plan/launch_plan.hpp"
#include "spec/limits.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

constexpr const char* area = "shares";

std::string_view word_of(FolderFacts::Xattrs xattrs) {
  switch (xattrs) {
    case FolderFacts::Xattrs::work:
      return "work";
    case FolderFacts::Xattrs::refused:
      return "do not work";
    case FolderFacts::Xattrs::unknown:
      break;
  }
  return "are unknown";
}

/// "a folder of 1000:1000, mode 0755"; what is wrong with it, a problem tells.
std::string describe_source(const FileFacts& file) {
  switch (file.kind) {
    case FileFacts::Kind::missing:
      return "missing";
    case FileFacts::Kind::directory:
      return fmt::format("a folder of {}:{}, mode {:04o}{}", file.owner.uid, file.owner.gid,
                         file.mode, file.read_only_mount ? ", mounted read-only" : "");
    case FileFacts::Kind::regular:
      return "a file";
    case FileFacts::Kind::other:
      break;
  }
  return "no folder";
}

/// In a container a source that is not there is mostly one that was not passed in.
std::string fix_for_missing(const Share& share, const DoctorView& view) {
  const auto where = view.facts.surroundings;
  if (!is_container(where)) return {};
  return run_flags(where, "-v HOST_FOLDER:" + shell_quote(share.source),
                   "a volume with mountPath: " + share.source);
}

void report_folder(const Share& share, const DoctorView& view, const std::string& name,
                   DoctorFindings& findings) {
  const auto& file = facts_of(share.source, view.vm.host);
  const auto found = view.facts.folders.find(share.source);
  if (found == view.facts.folders.end()) {
    findings.add(area, name, CheckResult::note, share.source + ": " + describe_source(file));
    return;
  }
  const auto& folder = found->second;
  const auto text =
      fmt::format("{}: {}{}; {}, {} free, extended attributes {}", share.source,
                  describe_source(file), share.create_source ? ", will be made" : "",
                  folder.file_system.empty() ? "unknown file system" : folder.file_system,
                  size_text(folder.free_mib), word_of(folder.xattrs));
  const bool lacks_xattrs =
      needs_attributes(share) && folder.xattrs == FolderFacts::Xattrs::refused;
  if (lacks_xattrs) {
    findings.add(area, name, CheckResult::warn, text + ", which this share needs",
                 "put the source on ext4, xfs or btrfs, or leave out what needs them "
                 "(ACCESSMODE=mapped, XATTR, POSIX_ACL)");
  } else if (folder.free_mib == 0 && !share.readonly) {
    findings.add(area, name, CheckResult::warn, text, "make room there");
  } else {
    const bool is_there = file.kind == FileFacts::Kind::directory;
    const bool is_missing = file.kind == FileFacts::Kind::missing;
    findings.add(area, name, is_there ? CheckResult::ok : CheckResult::note, text,
                 is_missing ? fix_for_missing(share, view) : "");
  }
}

/// What becomes of it.
void report_meaning(const Share& share, const DoctorView& view, const std::string& name,
                    DoctorFindings& findings) {
  const bool is_virtiofs = share.driver == Driver::virtiofs;
  auto text = fmt::format("{} over {}{}, {}, tag '{}'", share.mount, word_for(share.driver),
                          is_virtiofs ? "" : fmt::format(" ({})", word_for(share.accessmode)),
                          share.readonly ? "read-only" : "read-write", share.tag);
  if (is_virtiofs && view.is_valid) text += fmt::format(", sandbox '{}'", word_for(share.sandbox));
  if (share.owner) text += fmt::format(", all as {}:{}", share.owner->uid, share.owner->gid);
  const bool counts = view.is_valid;
  findings.add(area, name, counts ? CheckResult::ok : CheckResult::note,
               counts ? text : text + ", once the problems are solved");
}

}  // namespace

void report_shares(const DoctorView& view, DoctorFindings& findings) {
  const auto& shares = view.vm.spec.shares;
  if (shares.empty()) {
    findings.add(area, "none", CheckResult::note, "no folder is shared",
                 "set FILESYSTEM_SOURCE to one");
  }
  for (const auto& share : shares) {
    if (share.source.empty()) continue;
    report_folder(share, view, fmt::format("#{} here", share.number), findings);
    if (share.driver != Driver::automatic) {
      report_meaning(share, view, fmt::format("#{} in the guest", share.number), findings);
    }
  }
}

}  // namespace vmr
