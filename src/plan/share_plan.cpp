// SPDX-License-Identifier: MIT
#include "plan/share_plan.hpp"

#include "base/qemu_option.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

namespace vmr {
namespace {

/// virtiofsd's own wish; more is refused by the kernel when the hard limit is lower.
constexpr std::uint64_t most_open_files = 1'000'000;

std::string_view security_model(AccessMode mode) {
  switch (mode) {
    case AccessMode::passthrough:
      return "passthrough";
    case AccessMode::mapped:
      return "mapped-xattr";
    case AccessMode::squash:
      return "none";
  }
  return {};
}

/// A value inside the C virtiofsd's `-o`, where a comma ends it unless escaped.
std::string escape_fuse_option(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// The capabilities of root's that virtiofsd can do without, in the syntax of both: file
/// capabilities are extended attributes, and privileged; who only reads changes no owner, mode or
/// kind.
std::string dropped_capabilities(const Share& share) {
  std::vector<std::string_view> dropped;
  const bool has_attributes = share.xattr || share.posix_acl;
  if (!has_attributes || !share.privileged_files) dropped.emplace_back("-setfcap");
  if (share.readonly) dropped.insert(dropped.end(), {"-chown", "-fowner", "-fsetid", "-mknod"});
  return fmt::format("{}", fmt::join(dropped, ":"));
}

std::vector<std::string> c_virtiofsd_arguments(const Share& share, const VirtiofsdFacts& program) {
  // It has no "metadata" mode; "auto" is its nearest.
  const auto cache = share.cache == CacheMode::metadata ? CacheMode::automatic : share.cache;
  // It refuses to start with ACLs and without the extended attributes that hold them.
  const bool xattr = share.xattr || share.posix_acl;
  std::vector<std::string> arguments = {"-o", "source=" + escape_fuse_option(share.source),
                                        "-o", fmt::format("cache={}", word_for(cache)),
                                        "-o", fmt::format("sandbox={}", word_for(share.sandbox)),
                                        "-o", xattr ? "xattr" : "no_xattr",
                                        "-o", share.posix_acl ? "posix_acl" : "no_posix_acl"};
  // Two file systems below one source would share their files' numbers, and cp -a, tar and rsync -H
  // would take different files for one. The Rust one always does this.
  if (program.has_announce_submounts) {
    arguments.insert(arguments.end(), {"-o", "announce_submounts"});
  }
  return arguments;
}

/// How ids are translated so that the guest acts on the host as `owner` alone, and finds what is
/// that owner's as `guest_owner`'s. One id; the syntax is virtiofsd's "TYPE:FROM:TO:COUNT".
std::array<std::string, 2> translation(std::uint32_t owner, std::uint32_t guest_owner) {
  return {fmt::format("squash-guest:0:{}:{}", owner, std::numeric_limits<std::uint32_t>::max()),
          fmt::format("host:{}:{}:1", owner, guest_owner)};
}

std::vector<std::string> owner_arguments(const Share& share) {
  std::vector<std::string> arguments;
  if (!share.owner) return arguments;
  for (const auto& word : translation(share.owner->uid, share.guest_owner.uid)) {
    arguments.push_back("--translate-uid=" + word);
  }
  for (const auto& word : translation(share.owner->gid, share.guest_owner.gid)) {
    arguments.push_back("--translate-gid=" + word);
  }
  return arguments;
}

std::vector<std::string> rust_virtiofsd_arguments(const Share& share, const Host& host) {
  const auto cache = share.cache == CacheMode::none ? "never" : word_for(share.cache);
  std::vector<std::string> arguments = {"--shared-dir", share.source,
                                        "--sandbox",    std::string(word_for(share.sandbox)),
                                        "--cache",      std::string(cache)};
  if (host.virtiofsd->has_file_handles) {
    const bool works = host.abilities.dac_read_search;
    arguments.push_back(fmt::format("--inode-file-handles={}", works ? "prefer" : "never"));
  }
  if (share.readonly && host.virtiofsd->has_readonly) arguments.emplace_back("--readonly");
  if (share.xattr) arguments.emplace_back("--xattr");
  if (share.posix_acl) arguments.emplace_back("--posix-acl");
  // Without it set-user-ID bits stay when another user writes, where the guest keeps what it knows
  // of a file (metadata) or nothing (never). The C one has it on.
  if (host.virtiofsd->has_killpriv_v2 && !share.readonly) arguments.emplace_back("--killpriv-v2");
  const auto owner = owner_arguments(share);
  arguments.insert(arguments.end(), owner.begin(), owner.end());
  return arguments;
}

ProcessPlan plan_virtiofsd(const Share& share, const Host& host, const std::string& socket) {
  ProcessPlan daemon;
  daemon.name = fmt::format("virtiofsd-{}", share.number);
  daemon.listeners = {{3, socket}};
  daemon.argv = {host.virtiofsd->path, "--fd=3"};
  const bool is_c = host.virtiofsd->family == VirtiofsdFacts::Family::c;
  const auto own =
      is_c ? c_virtiofsd_arguments(share, *host.virtiofsd) : rust_virtiofsd_arguments(share, host);
  daemon.argv.insert(daemon.argv.end(), own.begin(), own.end());
  const auto dropped = dropped_capabilities(share);
  // Another user has none.
  if (host.uid == 0 && host.virtiofsd->has_modcaps && !dropped.empty()) {
    if (is_c) {
      daemon.argv.insert(daemon.argv.end(), {"-o", "modcaps=" + dropped});
    } else {
      daemon.argv.push_back("--modcaps=" + dropped);
    }
  }
  // What the C one always does.
  if (!is_c) daemon.argv.insert(daemon.argv.end(), {"--seccomp", "kill"});
  daemon.argv.push_back(fmt::format("--thread-pool-size={}", share.thread_pool_size));
  daemon.argv.push_back(
      fmt::format("--rlimit-nofile={}", std::min(host.open_files_limit, most_open_files)));
  return daemon;
}

/// Where QEMU finds the connection to the first virtiofsd; behind its own sockets.
constexpr int first_share_fd = 7;

/// Puts a share's device where QEMU puts none by itself, eight to a slot: with a slot each, the
/// bus is full after some 25 shares.
void set_address(QemuOption& device, std::size_t position) {
  constexpr std::size_t first_slot = 0x10;
  constexpr std::size_t functions = 8;
  const auto function = position % functions;
  device.set("addr", fmt::format("{:#x}.{}", first_slot + position / functions, function));
  if (function == 0) device.set("multifunction", "on");
  // One processor has some 200 interrupt vectors, and each device takes two or three; without any
  // it shares an interrupt line.
  constexpr std::size_t most_with_vectors = 32;
  if (position >= most_with_vectors) device.set("vectors", std::uint64_t{0});
}

std::vector<std::string> virtiofs_arguments(const Share& share, std::size_t position,
                                            const std::string& id, int fd) {
  QemuOption device("vhost-user-fs-pci");
  device.set("chardev", id).set("tag", share.tag).set("queue-size", share.queue_size);
  set_address(device, position);
  return {"-chardev",
          QemuOption("socket").set("id", id).set("fd", static_cast<std::uint64_t>(fd)).text(),
          "-device", device.text()};
}

std::vector<std::string> ninep_arguments(const Share& share, std::size_t position,
                                         const std::string& id) {
  QemuOption fsdev("local");
  fsdev.set("id", id).set("path", share.source);
  fsdev.set("security_model", security_model(share.accessmode));
  fsdev.set("multidevs", word_for(share.multidevs));
  if (share.accessmode == AccessMode::mapped) {
    // QEMU reads these with C's prefixes: without the leading 0 they would be decimal.
    fsdev.set("fmode", fmt::format("0{:03o}", share.fmode));
    fsdev.set("dmode", fmt::format("0{:03o}", share.dmode));
  }
  if (share.wrpolicy) fsdev.set("writeout", word_for(*share.wrpolicy));
  if (share.readonly) fsdev.set("readonly", "on");
  QemuOption device("virtio-9p-pci");
  device.set("fsdev", id).set("mount_tag", share.tag);
  set_address(device, position);
  return {"-fsdev", fsdev.text(), "-device", device.text()};
}

}  // namespace

SharePlan plan_share(const Share& share, std::size_t position, const Host& host,
                     const std::string& runtime_folder) {
  SharePlan plan;
  plan.share = share;
  const auto id = fmt::format("share{}", share.number);
  if (share.driver == Driver::virtiofs) {
    const auto socket = fmt::format("{}/virtiofsd-{}.sock", runtime_folder, share.number);
    plan.helper = plan_virtiofsd(share, host, socket);
    plan.connection = Connection{first_share_fd + static_cast<int>(position), socket};
    plan.qemu_arguments = virtiofs_arguments(share, position, id, plan.connection->fd);
  } else {
    plan.qemu_arguments = ninep_arguments(share, position, id);
  }
  return plan;
}

}  // namespace vmr
