// SPDX-License-Identifier: MIT
#include "spec/share_owner.hpp"

#include "config/variables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace vmr {
namespace {

bool may_write(const FileFacts& folder, const Owner& who) {
  if (who.uid == 0) return true;
  const auto shift = who.uid == folder.owner.uid ? 6U : who.gid == folder.owner.gid ? 3U : 0U;
  constexpr std::uint32_t write_and_search = 3;
  return (folder.mode >> shift & write_and_search) == write_and_search;
}

/// The source as it is, or as it will be when it still has to be made; none when there is no folder
/// that we may look into.
std::optional<FileFacts> folder_of(const Share& share, const Host& host) {
  if (share.create_source) {
    FileFacts made;
    made.owner = {host.uid, host.gid};
    made.mode = 0755;
    return made;
  }
  const auto& facts = facts_of(share.source, host);
  const bool usable = facts.kind == FileFacts::Kind::directory && facts.readable;
  return usable ? std::optional(facts) : std::nullopt;
}

/// Who makes the files of `share` on the host for the guest's login user, `guest_owner`.
Owner maker_of(const Share& share, const Owner& guest_owner, const Host& host) {
  const auto who = share.owner.value_or(guest_owner);
  const Owner self{host.uid, host.gid};
  if (share.accessmode == AccessMode::mapped) return self;
  // What a virtiofsd of another user makes for the guest's root is its own.
  return share.driver == Driver::virtiofs && who.uid == 0 ? self : who;
}

/// Whether files can be made in `share` for `who`. A process that is not root makes them for itself
/// only; with squash QEMU does not even try to give them away.
bool acts_for(const Owner& who, const Share& share, const Host& host) {
  const bool is_whole_root = host.uid == 0 && host.missing_capabilities.empty();
  return is_whole_root || host.uid == who.uid || share.accessmode == AccessMode::squash;
}

/// What lets the guest's user write into `share`, whose folder on the host is `folder`: first what
/// is only a setting of it.
std::string ways_to_write(const Share& share, const FileFacts& folder, bool acts,
                          const Host& host) {
  const auto variable = [&](auto name) { return share_variable(share.number, name); };
  const Owner self{host.uid, host.gid};
  const bool may_write_itself = may_write(folder, self);
  std::vector<std::string> ways;
  const bool translates = host.virtiofsd && host.virtiofsd->has_translation;
  const Owner owner = host.uid == 0 ? folder.owner : self;
  if (translates && share.driver == Driver::virtiofs && share.owner != owner && may_write_itself &&
      may_write(folder, owner)) {
    ways.push_back(fmt::format("set {}={}", variable("OWNER"), value_text(std::optional(owner))));
  }
  if (acts || !may_write_itself) ways.emplace_back("adjust its owner or mode on the host");
  if (share.accessmode != AccessMode::mapped && may_write_itself) {
    ways.push_back(
        fmt::format("use {}=9p with {}=mapped", variable("DRIVER"), variable("ACCESSMODE")));
  }
  return fmt::format("{}", fmt::join(ways, ", or "));
}

/// Who cannot write, for people.
std::string name_of(const Share& share, const Owner& who, const Host& host) {
  if (share.accessmode == AccessMode::mapped) return fmt::format("QEMU, as user {},", host.uid);
  if (!share.owner) return fmt::format("the guest's user {}", who.uid);
  return fmt::format("{}={}", share_variable(share.number, "OWNER"), value_text(share.owner));
}

}  // namespace

Owner login_owner(const std::string& login_user) {
  return login_user == "root" ? Owner{0, 0} : Owner{1000, 1000};
}

void check_owner(const ShareConfig& config, const Host& host, Findings& findings) {
  if (!config.owner.value || !host.virtiofsd) return;
  const std::string& driver = config.driver.origin.variable;
  if (!host.virtiofsd->has_translation) {
    findings.refuse(config.owner,
                    "this virtiofsd cannot translate owners (" + host.virtiofsd->path +
                        " has no --translate-uid)",
                    "use virtiofsd 1.13 or later, written in Rust (Debian 13), or " + driver +
                        "=9p with " + config.accessmode.origin.variable + "=mapped",
                    ExitStatus::host_unsupported);
  }
  if (config.posix_acl.value) {
    findings.refuse(config.owner, "owners cannot be translated in POSIX ACLs",
                    "leave it or " + config.posix_acl.origin.variable + " out");
  }
  const Owner own{host.uid, host.gid};
  if (host.uid != 0 && *config.owner.value != own) {
    findings.refuse(config.owner,
                    fmt::format("virtiofsd runs as {} here and can act for nobody else",
                                value_text(std::optional(own))),
                    fmt::format("use {}={}, or run as root", config.owner.origin.variable,
                                value_text(std::optional(own))),
                    ExitStatus::host_unsupported);
  }
}

void check_write_access(const Share& share, const Owner& guest_owner, const Host& host,
                        Findings& findings) {
  const auto folder = folder_of(share, host);
  if (share.readonly || share.posix_acl || !folder) return;
  // What was meant is a mount, whose owner is another one.
  if (is_on_own_layer(facts_of(share.source, host), host)) return;
  const auto who = maker_of(share, guest_owner, host);
  const bool acts = acts_for(who, share, host);
  if (acts && may_write(*folder, who)) return;
  const auto reason =
      acts ? fmt::format("{} belongs to {} with mode {:04o}", share.source,
                         value_text(std::optional(folder->owner)), folder->mode)
           : fmt::format("{} runs as user {} and can act for nobody else",
                         share.driver == Driver::virtiofs ? "virtiofsd" : "QEMU", host.uid);
  findings.warnings.push_back(fmt::format("Filesystem #{}: {} cannot write there: {}; {}",
                                          share.number, name_of(share, who, host), reason,
                                          ways_to_write(share, *folder, acts, host)));
}

}  // namespace vmr
