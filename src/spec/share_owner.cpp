// SPDX-License-Identifier: MIT
#include "spec/share_owner.hpp"

#include "config/variables.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

bool may_write(const FileFacts& folder, const Owner& who) {
  if (who.uid == 0) return true;
  const auto shift = who.uid == folder.owner.uid ? 6U : who.gid == folder.owner.gid ? 3U : 0U;
  constexpr std::uint32_t write_and_search = 3;
  return (folder.mode >> shift & write_and_search) == write_and_search;
}

/// The facts of the source; those it will have when it still has to be made. None when there is no
/// folder.
std::optional<FileFacts> facts_of(const Share& share, const Host& host) {
  if (share.create_source) {
    FileFacts made;
    made.owner = {host.uid, host.gid};
    made.mode = 0755;
    return made;
  }
  const auto found = host.files.find(share.source);
  const bool there = found != host.files.end() && found->second.kind == FileFacts::Kind::directory;
  return there && found->second.readable ? std::optional(found->second) : std::nullopt;
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
  const bool decided_by_host = share.accessmode != AccessMode::mapped && !share.posix_acl;
  if (share.readonly || !decided_by_host) return;
  const auto facts = facts_of(share, host);
  const auto who = share.owner.value_or(guest_owner);
  if (!facts || may_write(*facts, who)) return;

  const auto variable = [&](auto name) { return share_variable(share.number, name); };
  const auto owner = value_text(std::optional(facts->owner));
  std::string fix = "adjust its owner or mode on the host";
  const bool translates = host.virtiofsd && host.virtiofsd->has_translation;
  if (translates && share.driver == Driver::virtiofs && facts->owner.uid != 0) {
    fix += fmt::format(", set {}={}", variable("OWNER"), owner);
  }
  findings.warnings.push_back(fmt::format(
      "Filesystem #{}: {} cannot write there: {} belongs to {} with mode {:04o}; {}, or use {}=9p "
      "with "
      "{}=mapped",
      share.number,
      share.owner ? fmt::format("{}={}", variable("OWNER"), value_text(share.owner))
                  : fmt::format("the guest's user {}", who.uid),
      share.source, owner, facts->mode, fix, variable("DRIVER"), variable("ACCESSMODE")));
}

}  // namespace vmr
