// SPDX-License-Identifier: MIT
#include "spec/shares.hpp"

#include "base/paths.hpp"
#include "spec/exposed_files.hpp"
#include "spec/guest.hpp"
#include "spec/share_driver.hpp"
#include "spec/share_names.hpp"
#include "spec/share_owner.hpp"
#include "spec/share_source.hpp"
#include "spec/shared_memory.hpp"
#include "spec/virtiofs.hpp"

#include <algorithm>

namespace vmr {
namespace {

constexpr std::uint64_t most_requests = 1024;  ///< in a queue of QEMU's vhost-user-fs
/// Linux keeps four places of a queue for headers and mounts nothing through one that has no more.
constexpr std::uint64_t fewest_requests = 8;

void check_queue_size(const ShareConfig& config, Findings& findings) {
  if (!config.queue_size.value) return;
  const auto size = *config.queue_size.value;
  const bool power_of_two = size != 0 && (size & (size - 1)) == 0;
  if (!power_of_two || size > most_requests) {
    findings.refuse(config.queue_size,
                    fmt::format("queue size must be a power of 2, {} or smaller", most_requests),
                    fmt::format("use {}", most_requests));
  } else if (size < fewest_requests) {
    findings.refuse(config.queue_size,
                    "the guest cannot mount a share with a queue this small (Input/output error)",
                    fmt::format("use {}, or at least {}", most_requests, fewest_requests));
  }
}

void check_thread_pool_size(const ShareConfig& config, Findings& findings) {
  if (config.thread_pool_size.value.value_or(0) <= most_requests) return;
  findings.refuse(config.thread_pool_size,
                  fmt::format("thread pool size must be {} or smaller", most_requests),
                  "a share has no more requests in flight: use fewer threads");
}

void check_posix_acl(const ShareConfig& config, Findings& findings) {
  const bool without_xattr = !config.xattr.is_default() && !config.xattr.value;
  if (!config.posix_acl.value || !without_xattr) return;
  findings.refuse(config.posix_acl,
                  fmt::format("POSIX ACLs are kept in extended attributes, and {}='0'",
                              config.xattr.origin.variable),
                  fmt::format("leave {} out, or set it to 1", config.xattr.origin.variable));
}

void check_given_source(const ShareConfig& config, Findings& findings) {
  if (!config.source.value.empty() || config.source.invalid) return;
  const auto& variable = config.source.origin.variable;
  findings.problems.push_back({fmt::format("{}: missing source information for device", variable),
                               describe(config.origin),
                               fmt::format("set {} to the folder to share", variable)});
}

/// Settings that are taken as they are, or as their defaults.
void copy_plain_settings(const ShareConfig& config, Share& share) {
  share.number = config.number;
  share.accessmode = config.accessmode.value;
  share.readonly = config.readonly.value;
  share.cache = config.cache.value;
  share.owner = config.owner.value;
  share.fmode = config.fmode.value.value_or(share.fmode);
  share.dmode = config.dmode.value.value_or(share.dmode);
  share.multidevs = config.multidevs.value.value_or(share.multidevs);
  share.wrpolicy = config.wrpolicy.value;
  share.queue_size = config.queue_size.value.value_or(share.queue_size);
  share.thread_pool_size = config.thread_pool_size.value.value_or(share.thread_pool_size);
  share.xattr = config.xattr.value;
  share.posix_acl = config.posix_acl.value;
  share.privileged_files = config.privileged_files.value;
}

Share resolve_share(const ShareConfig& config, const Host& host, const Owner& guest_owner,
                    Findings& findings) {
  Share share;
  copy_plain_settings(config, share);
  check_given_source(config, findings);
  const bool has_source = !config.source.value.empty();
  if (has_source) {
    share.source = absolute_path(config.source.value, host.home, host.working_folder);
  }
  share.tag = tag_of(config, share.source);
  share.mount = resolve_mount(config, share.tag, findings);
  share.driver = choose_driver(config, share.source, host, findings);
  SourceVerdict source;
  if (has_source) source = check_source(config, share, host, findings);
  share.create_source = source.is_made;
  const bool knows_source = has_source && source.is_meant;
  const bool knows_tag = !config.target.value.empty() || (knows_source && !config.target.invalid);
  if (knows_tag) check_tag(config, share, findings);
  check_driver_options(config, share.driver, findings);
  check_links(share, host, findings);
  check_ninep_cache(config, share, findings);
  if (share.driver != Driver::ninep) {
    check_queue_size(config, findings);
    check_thread_pool_size(config, findings);
    check_posix_acl(config, findings);
  }
  if (share.driver == Driver::virtiofs) {
    check_virtiofs(config, share.source, host, findings);
    share.sandbox = choose_sandbox(config, host);
    check_owner(config, host, findings);
  }
  if (share.owner) share.guest_owner = guest_owner;
  return share;
}

bool is_inside(const std::string& inner, const std::string& outer) {
  return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/';
}

/// How `share` and `earlier` show the guest the same files; empty: they do not.
std::string overlap_of(const Share& share, const Share& earlier, const Host& host) {
  if (share.source.empty() || earlier.source.empty()) return {};
  const auto& one = real_path(share.source, host);
  const auto& other = real_path(earlier.source, host);
  const auto own = fmt::format("'{}'", share.source);
  const auto its = fmt::format("'{}' (filesystem #{})", earlier.source, earlier.number);
  if (one == other) return fmt::format("{} and {} are the same folder", own, its);
  if (is_inside(one, other)) return fmt::format("{} is inside {}", own, its);
  if (is_inside(other, one)) return fmt::format("{} is inside {}", its, own);
  return {};
}

/// Warns once when the guest sees files of `share` through one of the `earlier` shares as well.
void check_overlap(const Share& share, const std::vector<Share>& earlier, const Host& host,
                   Findings& findings) {
  for (const auto& other : earlier) {
    const auto overlap = overlap_of(share, other, host);
    if (overlap.empty()) continue;
    findings.warnings.push_back(fmt::format(
        "Filesystem #{}: {}: the guest sees the same files twice", share.number, overlap));
    return;
  }
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
    check_names(config, share, shares, findings);
    check_overlap(share, shares, host, findings);
    shares.push_back(share);
  }
  return shares;
}

AddedShare resolve_added_share(const Config& config, const std::vector<Share>& present,
                               const Host& host) {
  // Empty values count as unset: nothing is left of a share that has no other.
  if (config.shares.empty()) {
    return {{},
            {{"missing source information for the added share: no SOURCE is given", "",
              "name the folder: vm-runner share add FOLDER"}},
            {}};
  }
  Findings findings;
  const auto& asked = config.shares.front();
  const auto guest = chosen_guest(config, host);
  const auto guest_owner = login_owner(guest ? guest->login_user : std::string());
  const auto share = resolve_share(asked, host, guest_owner, findings);
  if (share.driver == Driver::ninep) {
    findings.refuse(asked.driver, "only virtiofs filesystems can be hotplugged",
                    "QEMU takes 9p exports at its start only: leave DRIVER out, or put the share "
                    "into the configuration and start anew");
  }
  const auto same_tag = std::find_if(present.begin(), present.end(), [&](const Share& other) {
    return !share.tag.empty() && other.tag == share.tag;
  });
  if (same_tag == present.end()) {
    check_names(asked, share, present, findings);
  } else {
    findings.problems.push_back(
        {fmt::format("Target already exists: filesystem #{} has the tag '{}'", same_tag->number,
                     share.tag),
         describe(asked.target.origin), "choose another TARGET"});
  }
  check_overlap(share, present, host, findings);
  check_exposed_files(config, asked, share, host, findings);
  check_ways_to_sources(config, asked, share, present, host, findings);
  check_ways_to_sources(config, asked, share, std::span(&share, 1), host, findings);
  resolve_own_memory(config, {share}, findings);
  if (findings.problems.empty()) {
    tell_sandbox({asked}, {share}, host, findings);
    check_write_access(share, guest_owner, host, findings);
  }
  return {share, std::move(findings.problems), std::move(findings.warnings)};
}

}  // namespace vmr
