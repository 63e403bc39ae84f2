// SPDX-License-Identifier: MIT
// What only one argument of a QEMU command line can have.
#pragma once

#include "base/qemu_words.hpp"

#include <string>
#include <vector>

namespace vmr {

enum class ClaimKind {
  device,
  chardev,
  netdev,
  drive,
  object,
  fsdev,
  descriptor,
  chardev_use,
  netdev_use,
  drive_use,
  tag,
  port,
  address,
  chassis,
  host_port
};

/// A name that is taken: an id, a share's tag, a PCI address, a port of the host.
struct Claim {
  ClaimKind kind;
  std::string name;
  std::string address{};  ///< of a host's port; empty: every one

  bool operator==(const Claim&) const = default;
};

/// What the option `name` with these keys takes.
std::vector<Claim> claims_of(const std::string& name, const QemuKeys& keys);

/// Whether the option takes what `claim` does.
bool makes_claim(const std::string& name, const QemuKeys& keys, const Claim& claim);

/// What QEMU 7.2 does when two arguments have this.
struct Outcome {
  std::string text;
  bool is_refused = true;  ///< QEMU does not start
};
Outcome outcome_of(const Claim& claim);

}  // namespace vmr
