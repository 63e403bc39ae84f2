// SPDX-License-Identifier: MIT
#include "config/settings.hpp"
#include "config/store.hpp"

#include <array>
#include <limits>

namespace vmr {
namespace {

Parsed<std::uint32_t> octal_mode(const Text& text) {
  auto parsed = parse_octal_mode(text.value);
  auto* invalid = std::get_if<Invalid>(&parsed);
  if (invalid == nullptr) return parsed;
  // libvirt has one message for a number that is too large and another for what is no number.
  const std::string attribute = toml_key(text.origin.variable);
  // TOML's 0o1777 is what everybody else writes as 01777.
  const auto mode =
      text.value.starts_with("0o") ? "0" + text.value.substr(2) : std::string(text.value);
  const bool is_number = text.value != "0o" && mode.find_first_not_of("01234567") == mode.npos;
  invalid->message = is_number ? fmt::format("invalid {}: '{}'", attribute, mode)
                               : fmt::format("Invalid value for attribute '{}'", attribute);
  return parsed;
}

Parsed<Owner> owner(const Text& text) {
  return parse_owner(text.value);
}

/// Any whole number: which sizes QEMU and virtiofsd take is checked with the rest of the share.
Parsed<std::uint64_t> size_of(std::string_view thing, const Text& text) {
  constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
  auto parsed = parse_number(text.value, 0, highest);
  if (std::holds_alternative<std::uint64_t>(parsed)) return parsed;
  return Invalid{fmt::format("cannot parse {} '{}' for virtiofs", thing, text.value),
                 "a whole number"};
}
Parsed<std::uint64_t> queue_size(const Text& text) {
  return size_of("queue size", text);
}
Parsed<std::uint64_t> thread_pool_size(const Text& text) {
  return size_of("thread pool size", text);
}

constexpr std::array settings = std::to_array<Setting<ShareConfig>>({
    {"SOURCE", "", "directory to share; required",
     store<&ShareConfig::source, any_text, ValueKind::path>},
    {"TARGET", "", "tag the guest sees; unset: last component of the source",
     store<&ShareConfig::target, any_text>},
    {"DRIVER", "virtiofs", "virtiofs, 9p, or auto (virtiofs where it can run, else 9p)",
     store<&ShareConfig::driver, word<Driver>>},
    {"ACCESSMODE", "passthrough", "passthrough; with 9p also mapped and squash",
     store<&ShareConfig::accessmode, word<AccessMode>>},
    {"READONLY", "0", "the guest may not write; enforced on the host",
     store<&ShareConfig::readonly, boolean>},
    {"MOUNT", "", "mount folder in the guest; unset: /mnt/<tag>",
     store<&ShareConfig::mount, any_text>},
    {"CACHE", "auto", "caching in the guest: auto, none, metadata or always",
     store<&ShareConfig::cache, word<CacheMode>>},
    {"OWNER", "", "uid:gid that owns on the host whatever the guest makes; virtiofs only",
     store<&ShareConfig::owner, owner>},
    {"FMODE", "", "octal mode of new files; 9p mapped only; unset: 0644",
     store<&ShareConfig::fmode, octal_mode>},
    {"DMODE", "", "octal mode of new folders; 9p mapped only; unset: 0755",
     store<&ShareConfig::dmode, octal_mode>},
    {"MULTIDEVS", "",
     "several devices below the source: remap, forbid or warn; 9p only; unset: remap",
     store<&ShareConfig::multidevs, word<Multidevs>>},
    {"WRPOLICY", "", "immediate: write to the host's disk at once; 9p only",
     store<&ShareConfig::wrpolicy, word<WritePolicy>>},
    {"SANDBOX", "auto", "of virtiofsd: auto (the strongest that works), namespace, chroot or none",
     store<&ShareConfig::sandbox, word<Sandbox>>},
    {"QUEUE_SIZE", "", "requests in flight: a power of 2, 8 to 1024; virtiofs only; unset: 1024",
     store<&ShareConfig::queue_size, queue_size>},
    {"THREAD_POOL_SIZE", "", "threads of virtiofsd, up to 1024; virtiofs only; unset: 0",
     store<&ShareConfig::thread_pool_size, thread_pool_size>},
    {"XATTR", "0", "extended attributes; virtiofs only", store<&ShareConfig::xattr, boolean>},
    {"POSIX_ACL", "0", "POSIX ACLs; virtiofs only", store<&ShareConfig::posix_acl, boolean>},
    {"PRIVILEGED_FILES", "0",
     "whether the guest may leave set-user-ID programs, devices and file capabilities",
     store<&ShareConfig::privileged_files, boolean>},
});

}  // namespace

std::span<const Setting<ShareConfig>> share_settings() {
  return settings;
}

}  // namespace vmr
