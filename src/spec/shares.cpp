// SPDX-License-Identifier: MIT
#include "spec/shares.hpp"

#include "base/paths.hpp"
#include "spec/virtiofs.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

constexpr std::size_t longest_virtiofs_tag = 36;
constexpr std::size_t longest_9p_tag = 31;

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

/// Refuses options that only the other driver has, in libvirt's words.
void check_driver_options(const ShareConfig& config, Driver driver, Findings& findings) {
  const auto refuse = [&](const auto& given, std::string_view words, std::string hint) {
    if (given.is_default()) return;
    findings.problems.push_back({fmt::format("{}: {}", given.origin.variable, words),
                                 describe(given.origin), std::move(hint)});
  };
  const std::string& variable = config.driver.origin.variable;
  if (driver == Driver::virtiofs) {
    const auto hint = "leave it out, or use " + variable + "=9p";
    refuse(config.wrpolicy, "virtiofs does not support wrpolicy", hint);
    refuse(config.multidevs, "virtiofs does not support multidevs", hint);
    refuse(config.fmode, "virtiofs does not support fmode and dmode", hint);
    refuse(config.dmode, "virtiofs does not support fmode and dmode", hint);
    return;
  }
  const auto hint = "leave it out, or use " + variable + "=virtiofs";
  refuse(config.sandbox, "sandbox can only be used with driver=virtiofs", hint);
  refuse(config.queue_size, "queue size can only be used with driver=virtiofs", hint);
  refuse(config.thread_pool_size, "thread pool can only be used with driver=virtiofs", hint);
  refuse(config.xattr, "xattr can only be used with driver=virtiofs", hint);
  refuse(config.posix_acl, "posix ACL can only be used with driver=virtiofs", hint);
  if (config.accessmode.value != AccessMode::mapped) {
    const auto mapped = "set " + config.accessmode.origin.variable + "=mapped, or leave it out";
    refuse(config.fmode, "fmode and dmode must be used with accessmode=mapped", mapped);
    refuse(config.dmode, "fmode and dmode must be used with accessmode=mapped", mapped);
  }
}

void check_accessmode(const ShareConfig& config, Driver driver, Findings& findings) {
  if (driver != Driver::virtiofs || config.accessmode.value == AccessMode::passthrough) return;
  findings.refuse(config.accessmode, "virtiofs only supports passthrough accessmode",
                  fmt::format("set {}=9p for 'mapped' or 'squash', or use {}=passthrough",
                              config.driver.origin.variable, config.accessmode.origin.variable));
}

void check_queue_size(const ShareConfig& config, Findings& findings) {
  if (!config.queue_size.value) return;
  const auto size = *config.queue_size.value;
  const bool power_of_two = size != 0 && (size & (size - 1)) == 0;
  if (power_of_two && size <= 1024) return;
  findings.problems.push_back(
      {fmt::format("{}='{}': queue size must be a power of 2, 1024 or smaller",
                   config.queue_size.origin.variable, size),
       describe(config.queue_size.origin), "use 1024"});
}

/// Checks the source folder; the result says whether it has to be made.
bool check_source(const ShareConfig& config, const Share& share, const Host& host,
                  Findings& findings) {
  if (share.source == "/") {
    findings.refuse(config.source, "the whole file system is not shared",
                    "share a folder below it");
    return false;
  }
  const auto found = host.files.find(share.source);
  const FileFacts facts = found == host.files.end() ? FileFacts{} : found->second;
  if (facts.kind == FileFacts::Kind::missing) {
    if (!share.readonly) return true;
    findings.refuse(
        config.source,
        share.driver == Driver::virtiofs
            ? fmt::format("the virtiofs export directory '{}' does not exist", share.source)
            : std::string("no such directory"),
        "create it, or correct the path (a missing source is only made for a share "
        "that is not read-only)");
  } else if (facts.kind != FileFacts::Kind::directory) {
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

/// virtiofs where it can run and is not excluded by the access mode, else 9p with a warning.
Driver choose_driver(const ShareConfig& config, const std::string& source, const Host& host,
                     Findings& findings) {
  if (config.driver.value != Driver::automatic) return config.driver.value;
  std::string reason;
  if (config.accessmode.value != AccessMode::passthrough) {
    reason = "virtiofs only supports passthrough accessmode";
  } else {
    Findings virtiofs;
    check_virtiofsd(config, source, host, virtiofs);
    if (virtiofs.problems.empty()) return Driver::virtiofs;
    reason = virtiofs.problems.front().message;
  }
  findings.warnings.push_back(
      fmt::format("Filesystem #{}: driver=auto uses 9p: {}", config.number, reason));
  return Driver::ninep;
}

Share resolve_share(const ShareConfig& config, const Host& host, Findings& findings) {
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
  check_accessmode(config, share.driver, findings);
  check_driver_options(config, share.driver, findings);
  check_queue_size(config, findings);
  if (share.driver == Driver::virtiofs) {
    check_virtiofsd(config, share.source, host, findings);
    share.sandbox = choose_sandbox(config, host, findings);
  }
  share.cache = config.cache.value;
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

void check_pair(const ShareConfig& config, const Share& share, const Share& earlier,
                Findings& findings) {
  if (share.source.empty() || earlier.source.empty()) return;
  if (share.tag == earlier.tag) {
    refuse_tag(config, share,
               fmt::format("filesystem target '{}' specified twice (also by filesystem #{})",
                           share.tag, earlier.number),
               findings);
  } else if (share.mount == earlier.mount) {
    findings.refuse(config.mount,
                    fmt::format("'{}' is already the mount folder of filesystem #{}", share.mount,
                                earlier.number),
                    "choose another folder or tag");
  }
  if (is_inside(share.source, earlier.source) || is_inside(earlier.source, share.source)) {
    findings.warnings.push_back(fmt::format(
        "Filesystem #{}: '{}' and '{}' (filesystem #{}) lie inside one another: the guest sees the "
        "same files twice",
        share.number, share.source, earlier.source, earlier.number));
  }
}

}  // namespace

std::vector<Share> resolve_shares(const std::vector<ShareConfig>& configs, const Host& host,
                                  Findings& findings) {
  std::vector<Share> shares;
  for (const auto& config : configs) {
    const auto share = resolve_share(config, host, findings);
    for (const auto& earlier : shares) check_pair(config, share, earlier, findings);
    shares.push_back(share);
  }
  return shares;
}

}  // namespace vmr
