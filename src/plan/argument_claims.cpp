// SPDX-License-Identifier: MIT
#include "plan/argument_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace vmr {
namespace {

/// A key whose value is a claim.
struct KeyRule {
  std::string_view option;
  std::string_view key;
  ClaimKind kind;
};

constexpr std::array key_rules = std::to_array<KeyRule>({
    {"device", "id", ClaimKind::device},
    {"device", "chardev", ClaimKind::chardev_use},
    {"device", "netdev", ClaimKind::netdev_use},
    {"device", "drive", ClaimKind::drive_use},
    {"device", "tag", ClaimKind::tag},
    {"device", "mount_tag", ClaimKind::tag},
    {"chardev", "id", ClaimKind::chardev},
    {"chardev", "fd", ClaimKind::descriptor},
    {"add-fd", "fd", ClaimKind::descriptor},
    {"mon", "chardev", ClaimKind::chardev_use},
    {"mon", "", ClaimKind::chardev_use},
    {"netdev", "id", ClaimKind::netdev},
    {"nic", "id", ClaimKind::netdev},
    {"drive", "id", ClaimKind::drive},
    {"drive", "node-name", ClaimKind::drive},
    {"blockdev", "node-name", ClaimKind::drive},
    {"object", "id", ClaimKind::object},
    {"fsdev", "id", ClaimKind::fsdev},
    {"virtfs", "id", ClaimKind::fsdev},
    {"virtfs", "mount_tag", ClaimKind::tag},
});

/// "0x10.0" for "10", "0x10" and "10.0", all of which are hexadecimal to QEMU; empty: no address.
std::string pci_address(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  unsigned slot = 0;
  unsigned function = 0;
  const auto* const end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, slot, 16);
  if (error != std::errc{}) return {};
  if (dot != end) {
    const auto behind = *dot == '.' ? std::from_chars(dot + 1, end, function, 16)
                                    : std::from_chars_result{dot, std::errc::invalid_argument};
    if (behind.ec != std::errc{} || behind.ptr != end) return {};
  }
  return fmt::format("{:#x}.{:x}", slot, function);
}

/// The host's side of "[tcp|udp]:[ADDRESS]:PORT-…".
Claim host_port(std::string_view rule) {
  const auto take = [&rule](char end) {
    const auto part = rule.substr(0, rule.find(end));
    rule.remove_prefix(std::min(rule.size(), part.size() + 1));
    return std::string(part);
  };
  const auto protocol = take(':');
  auto address = take(':');
  const auto port = take('-');
  if (address == "0.0.0.0") address.clear();
  return {ClaimKind::host_port, (protocol.empty() ? "tcp" : protocol) + " port " + port, address};
}

/// A number as QEMU reads it: decimal, or behind 0x hexadecimal. 0 for none, as QEMU has it.
unsigned number_of(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, is_hex ? 16 : 10);
  return number;
}

/// PCI Express ports are told apart by both numbers together.
bool has_chassis(std::string_view driver) {
  return driver == "pcie-root-port" || driver == "ioh3420" || driver == "xio3130-downstream";
}

std::vector<Claim> claims_of_device(const QemuKeys& keys) {
  std::vector<Claim> claims;
  const auto driver = last_value(keys, "");
  if (has_chassis(driver)) {
    claims.push_back({ClaimKind::chassis,
                      fmt::format("chassis {}, slot {}", number_of(last_value(keys, "chassis")),
                                  number_of(last_value(keys, "slot")))});
  }
  if (driver.starts_with("virtserialport") || driver.starts_with("virtconsole")) {
    claims.push_back({ClaimKind::port, last_value(keys, "name")});
  }
  const auto bus = last_value(keys, "bus");
  if (bus.empty() || bus == "pcie.0") {
    claims.push_back({ClaimKind::address, pci_address(last_value(keys, "addr"))});
  }
  return claims;
}

}  // namespace

std::vector<Claim> claims_of(const std::string& name, const QemuKeys& keys) {
  std::vector<Claim> claims;
  for (const auto& rule : key_rules) {
    if (rule.option == name) claims.push_back({rule.kind, last_value(keys, std::string(rule.key))});
  }
  if (name == "device") {
    const auto more = claims_of_device(keys);
    claims.insert(claims.end(), more.begin(), more.end());
  }
  if (name == "virtfs" && !keys.contains("id")) {
    claims.push_back({ClaimKind::fsdev, last_value(keys, "mount_tag")});
  }
  if (name == "netdev" || name == "nic") {
    const auto [first, last] = keys.equal_range("hostfwd");
    for (auto rule = first; rule != last; ++rule) claims.push_back(host_port(rule->second));
  }
  std::erase_if(claims, [](const Claim& claim) { return claim.name.empty(); });
  return claims;
}

bool makes_claim(const std::string& name, const QemuKeys& keys, const Claim& claim) {
  const auto claims = claims_of(name, keys);
  return std::any_of(claims.begin(), claims.end(), [&](const Claim& own) {
    const bool same_place =
        own.address == claim.address || own.address.empty() || claim.address.empty();
    return own.kind == claim.kind && own.name == claim.name && same_place;
  });
}

Outcome outcome_of(const Claim& claim) {
  const auto second = [&](std::string_view what) {
    return Outcome{
        fmt::format("QEMU refuses a second {} '{}'; choose another id", what, claim.name)};
  };
  const auto once = [&](std::string_view what) {
    return Outcome{fmt::format("QEMU gives the {} '{}' to one device only; make one of your own",
                               what, claim.name),
                   false};
  };
  switch (claim.kind) {
    case ClaimKind::device:
      return second("device");
    case ClaimKind::chardev:
      return second("chardev");
    case ClaimKind::netdev:
      return second("netdev");
    case ClaimKind::drive:
      return second("drive");
    case ClaimKind::object:
      return second("object");
    case ClaimKind::fsdev:
      return second("fsdev");
    case ClaimKind::descriptor:
      return {fmt::format("QEMU refuses descriptor {} twice, where the launcher's socket is",
                          claim.name)};
    case ClaimKind::chardev_use:
      return once("chardev");
    case ClaimKind::netdev_use:
      return once("netdev");
    case ClaimKind::drive_use:
      return once("drive");
    case ClaimKind::tag:
      return {fmt::format("QEMU takes both, and the guest finds one share '{}' only", claim.name),
              false};
    case ClaimKind::port:
      return {fmt::format("QEMU refuses a second port '{}'", claim.name)};
    case ClaimKind::address:
      return {fmt::format("QEMU refuses a second device at {}; leave addr out", claim.name)};
    case ClaimKind::chassis:
      return {fmt::format("QEMU refuses a second port with {}; give yours another chassis",
                          claim.name)};
    case ClaimKind::host_port:
      return {fmt::format("QEMU cannot listen at {} twice", claim.name), false};
  }
  return {};
}

}  // namespace vmr
