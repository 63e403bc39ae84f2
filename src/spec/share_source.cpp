// SPDX-License-Identifier: MIT
#include "spec/share_source.hpp"

#include "spec/given_path.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// A missing source that a share may have made.
bool check_parent(const ShareConfig& config, const FileFacts& facts, Findings& findings) {
  if (!facts.obstacle.empty()) {
    findings.refuse(config.source, "the directory is missing and cannot be made: " + facts.obstacle,
                    "correct the path, or create it", ExitStatus::host_unsupported);
  } else if (!facts.missing_parent.empty()) {
    findings.refuse(config.source,
                    fmt::format("no such directory, and neither is '{}', in which it would be made",
                                facts.missing_parent),
                    "correct the path, or create it (mkdir -p)");
  } else {
    return true;
  }
  return false;
}

SourceVerdict check_missing_source(const ShareConfig& config, const Share& share,
                                   const FileFacts& facts, Findings& findings) {
  if (refuse_wrapped(config.source, findings) || refuse_oddity(config.source, findings)) return {};
  if (share.readonly) {
    findings.refuse(
        config.source,
        share.driver == Driver::virtiofs
            ? fmt::format("the virtiofs export directory '{}' does not exist", share.source)
            : std::string("no such directory"),
        "create it, or correct the path (a missing source is only made for a share "
        "that is not read-only)");
    return {false, true};
  }
  return {check_parent(config, facts, findings), true};
}

/// Warns about a share that only seems to be writable.
void check_read_only_mount(const ShareConfig& config, const Share& share, const FileFacts& facts,
                           Findings& findings) {
  const auto& readonly = config.readonly;
  if (!facts.read_only_mount || !readonly.is_default() || readonly.invalid) return;
  findings.warnings.push_back(
      fmt::format("Filesystem #{}: the host has mounted '{}' read-only; set {}=1 to say so",
                  share.number, share.source, readonly.origin.variable));
}

/// Warns that what the guest writes does not outlive the container.
void check_own_layer(const Share& share, const FileFacts& facts, const Host& host,
                     Findings& findings) {
  if (share.readonly || !is_on_own_layer(facts, host)) return;
  findings.warnings.push_back(fmt::format(
      "Filesystem #{}: '{}' is no mount but the container's own layer: what the guest writes there "
      "is lost with the container (docker run -v FOLDER:{} keeps it)",
      share.number, share.source, share.source));
}

/// Whether the folder `path` shows what the kernel has, though its file system may be an ordinary
/// one: device files.
bool is_of_devices(const std::string& path) {
  // What is in memory there is anybody's.
  return path == "/dev" || (path.starts_with("/dev/") && !(path + '/').starts_with("/dev/shm/"));
}

void check_contents(const Share& share, const FileFacts& facts, const Host& host,
                    Findings& findings) {
  const bool devices = is_of_devices(real_path(share.source, host));
  if (facts.kernel_file_system.empty() && !devices) return;
  findings.warnings.push_back(fmt::format(
      "Filesystem #{}: '{}' holds no files of yours but this host's {}: the guest sees them, and "
      "programs fail with them there; was another folder meant?",
      share.number, share.source,
      devices ? "devices" : "kernel (" + facts.kernel_file_system + ")"));
}

}  // namespace

const std::string& real_path(const std::string& path, const Host& host) {
  const auto& facts = facts_of(path, host);
  return facts.real_path.empty() ? path : facts.real_path;
}

SourceVerdict check_source(const ShareConfig& config, const Share& share, const Host& host,
                           Findings& findings) {
  if (real_path(share.source, host) == "/") {
    findings.refuse(config.source, "the whole file system is not shared",
                    "share a folder below it");
    // Its name, which may be empty, is of no use as a tag.
    return {};
  }
  const auto& facts = facts_of(share.source, host);
  check_own_layer(share, facts, host, findings);
  if (facts.kind == FileFacts::Kind::missing) {
    return check_missing_source(config, share, facts, findings);
  }
  if (facts.kind != FileFacts::Kind::directory) {
    findings.refuse(config.source, "not a directory", "share the folder that it is in");
  } else if (!facts.readable) {
    findings.refuse(config.source, "the directory cannot be read by this user",
                    "change its owner or mode, or run as its owner", ExitStatus::host_unsupported);
  } else {
    check_read_only_mount(config, share, facts, findings);
    check_contents(share, facts, host, findings);
  }
  return {false, true};
}

}  // namespace vmr
