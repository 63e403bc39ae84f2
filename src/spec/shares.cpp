// SPDX-License-Identifier: MIT
#include "spec/shares.hpp"

#include "base/paths.hpp"
#include "spec/share_driver.hpp"
#include "spec/share_owner.hpp"
#include "spec/virtiofs.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

constexpr std::size_t longest_virtiofs_tag = 36;
constexpr std::size_t longest_9p_tag = 31;
constexpr std::uint64_t most_requests = 1024;  ///< in a queue of QEMU's vhost-user-fs

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

/// Whether mount(8) reads `tag` as "the file system with this label".
bool names_a_disk(std::string_view tag) {
  constexpr std::array<std::string_view, 5> prefixes = {
      "LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "ID="};
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](auto prefix) { return tag.starts_with(prefix); });
}

/// The last component of an absolute path; empty for "/".
std::string last_component(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void check_queue_size(const ShareConfig& config, Findings& findings) {
  if (!config.queue_size.value) return;
  const auto size = *config.queue_size.value;
  const bool power_of_two = size != 0 && (size & (size - 1)) == 0;
  if (power_of_two && size <= most_requests) return;
  findings.refuse(config.queue_size,
                  fmt::format("queue size must be a power of 2, {} or smaller", most_requests),
                  fmt::format("use {}", most_requests));
}

void check_thread_pool_size(const ShareConfig& config, Findings& findings) {
  if (config.thread_pool_size.value.value_or(0) <= most_requests) return;
  findings.refuse(config.thread_pool_size,
                  fmt::format("thread pool size must be {} or smaller", most_requests),
                  "a share has no more requests in flight: use fewer threads");
}

const FileFacts& facts_of(const std::string& path, const Host& host) {
  static const FileFacts unknown;
  const auto found = host.files.find(path);
  return found == host.files.end() ? unknown : found->second;
}

/// `path` without symbolic links, as far as the host told.
const std::string& real_path(const std::string& path, const Host& host) {
  const auto& facts = facts_of(path, host);
  return facts.real_path.empty() ? path : facts.real_path;
}

/// A missing source: whether it has to be made.
bool check_missing_source(const ShareConfig& config, const Share& share, const FileFacts& facts,
                          Findings& findings) {
  if (share.readonly) {
    findings.refuse(
        config.source,
        share.driver == Driver::virtiofs
            ? fmt::format("the virtiofs export directory '{}' does not exist", share.source)
            : std::string("no such directory"),
        "create it, or correct the path (a missing source is only made for a share "
        "that is not read-only)");
    return false;
  }
  if (facts.obstacle.empty()) return true;
  findings.refuse(config.source, "the directory is missing and cannot be made: " + facts.obstacle,
                  "correct the path, or create it", ExitStatus::host_unsupported);
  return false;
}

/// Checks the source folder; the result says whether it has to be made.
bool check_source(const ShareConfig& config, const Share& share, const Host& host,
                  Findings& findings) {
  if (real_path(share.source, host) == "/") {
    findings.refuse(config.source, "the whole file system is not shared",
                    "share a folder below it");
    return false;
  }
  const auto& facts = facts_of(share.source, host);
  if (facts.kind == FileFacts::Kind::missing) {
    return check_missing_source(config, share, facts, findings);
  }
  if (facts.kind != FileFacts::Kind::directory) {
    findings.refuse(config.source, "not a directory", "share the folder that it is in");
  } else if (!facts.readable) {
    findings.refuse(config.source, "the directory cannot be read by this user",
                    "change its owner or mode, or run as its owner", ExitStatus::host_unsupported);
  }
  return false;
}

/// A problem about the tag, whether it was given or comes from the source's name.
void refuse_tag(const ShareConfig& config, const Share& share, const std::string& reason,
                Findings& findings) {
  const bool derived = config.target.value.empty();
  findings.problems.push_back(
      {fmt::format("{}='{}': {}", config.target.origin.variable, share.tag, reason),
       describe(derived ? config.source.origin : config.target.origin),
       derived
           ? "set " + config.target.origin.variable + " (by default the source's last component)"
           : std::string("choose another tag")});
}

void check_tag(const ShareConfig& config, const Share& share, Findings& findings) {
  const auto limit = share.driver == Driver::virtiofs ? longest_virtiofs_tag : longest_9p_tag;
  if (share.tag.empty()) {
    refuse_tag(config, share, "missing target information for device", findings);
  } else if (share.tag.size() > limit) {
    refuse_tag(config, share,
               fmt::format("the tag is {} bytes, {} takes at most {}", share.tag.size(),
                           word_for(share.driver), limit),
               findings);
  } else if (names_a_disk(share.tag)) {
    refuse_tag(config, share, "the guest's mount would take it for the label of a disk", findings);
  } else if (has_control_character(share.tag)) {
    refuse_tag(config, share, "a tag cannot have control characters", findings);
  } else if (config.mount.value.empty() &&
             (share.tag == "." || share.tag == ".." || share.tag.find('/') != share.tag.npos)) {
    refuse_tag(config, share,
               fmt::format("'/mnt/{}' is not a folder directly below /mnt", share.tag), findings);
  }
}

std::string resolve_mount(const ShareConfig& config, const Share& share, Findings& findings) {
  const std::string& mount = config.mount.value;
  if (mount.empty()) return "/mnt/" + share.tag;
  const auto clean = absolute_path(mount, "", "/");
  const bool climbs = (clean + '/').find("/../") != clean.npos;
  if (mount.front() != '/' || clean == "/" || climbs || has_control_character(mount)) {
    findings.refuse(config.mount, "not an absolute folder of the guest",
                    "use a path such as /srv/data, or leave it out for /mnt/" + share.tag);
  }
  return clean;
}

Share resolve_share(const ShareConfig& config, const Host& host, const Owner& guest_owner,
                    Findings& findings) {
  Share share;
  share.number = config.number;
  const bool has_source = !config.source.value.empty();
  if (has_source) {
    share.source = absolute_path(config.source.value, host.home, host.working_folder);
  } else {
    findings.problems.push_back(
        {fmt::format("{}: missing source information for device", config.source.origin.variable),
         "", fmt::format("set {} to the folder to share", config.source.origin.variable)});
  }
  share.tag = config.target.value.empty() ? last_component(share.source) : config.target.value;
  share.mount = resolve_mount(config, share, findings);
  share.driver = choose_driver(config, share.source, host, findings);
  share.accessmode = config.accessmode.value;
  share.readonly = config.readonly.value;
  if (has_source) {
    share.create_source = check_source(config, share, host, findings);
    check_tag(config, share, findings);
  }
  check_driver_options(config, share.driver, findings);
  check_queue_size(config, findings);
  check_thread_pool_size(config, findings);
  if (share.driver == Driver::virtiofs) {
    check_virtiofs(config, share.source, host, findings);
    share.sandbox = choose_sandbox(config, host);
    check_owner(config, host, findings);
  }
  share.cache = config.cache.value;
  share.owner = config.owner.value;
  if (share.owner) share.guest_owner = guest_owner;
  share.fmode = config.fmode.value.value_or(share.fmode);
  share.dmode = config.dmode.value.value_or(share.dmode);
  share.multidevs = config.multidevs.value.value_or(share.multidevs);
  share.wrpolicy = config.wrpolicy.value;
  share.queue_size = config.queue_size.value.value_or(share.queue_size);
  share.thread_pool_size = config.thread_pool_size.value.value_or(share.thread_pool_size);
  share.xattr = config.xattr.value;
  share.posix_acl = config.posix_acl.value;
  return share;
}

bool is_inside(const std::string& inner, const std::string& outer) {
  return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/';
}

/// Two shares that the guest could not tell apart, or of which one would hide the other.
void check_names(const ShareConfig& config, const Share& share, const Share& earlier,
                 Findings& findings) {
  if (share.tag == earlier.tag) {
    refuse_tag(config, share,
               fmt::format("filesystem target '{}' specified twice (also by filesystem #{})",
                           share.tag, earlier.number),
               findings);
  } else if (share.mount == earlier.mount) {
    const auto reason = fmt::format("'{}' is already the mount folder of filesystem #{}",
                                    share.mount, earlier.number);
    if (config.mount.value.empty()) {
      refuse_tag(config, share, reason, findings);
    } else {
      findings.refuse(config.mount, reason, "choose another folder or tag");
    }
  }
}

/// Two shares through which the guest sees the same files.
void check_overlap(const Share& share, const Share& earlier, const Host& host, Findings& findings) {
  const auto& one = real_path(share.source, host);
  const auto& other = real_path(earlier.source, host);
  if (one != other && !is_inside(one, other) && !is_inside(other, one)) return;
  findings.warnings.push_back(fmt::format(
      "Filesystem #{}: '{}' and '{}' (filesystem #{}) {}: the guest sees the same files twice",
      share.number, share.source, earlier.source, earlier.number,
      one == other ? "are the same folder" : "lie inside one another"));
}

void check_count(const std::vector<ShareConfig>& configs, Findings& findings) {
  if (configs.size() <= most_shares) return;
  const auto& origin = configs.at(most_shares).source.origin;
  findings.problems.push_back({fmt::format("{}: there are {} shares, and a VM takes at most {}",
                                           origin.variable, configs.size(), most_shares),
                               describe(origin), "share a folder that several of them are in"});
}

}  // namespace

std::vector<Share> resolve_shares(const std::vector<ShareConfig>& configs, const Host& host,
                                  const Owner& guest_owner, Findings& findings) {
  check_count(configs, findings);
  std::vector<Share> shares;
  for (const auto& config : configs) {
    const auto share = resolve_share(config, host, guest_owner, findings);
    for (const auto& earlier : shares) {
      if (share.source.empty() || earlier.source.empty()) continue;
      check_names(config, share, earlier, findings);
      check_overlap(share, earlier, host, findings);
    }
    shares.push_back(share);
  }
  return shares;
}

}  // namespace vmr
