// SPDX-License-Identifier: MIT
// A virtio device driven from user space: no kernel between the guest's root and QEMU.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vmr::guest {

using Bytes = std::vector<std::uint8_t>;

/// A modern virtio-pci device and one of its queues. Its memory is found by its physical address,
/// so it needs root and a guest without an IOMMU.
class VirtioDevice {
 public:
  /// Takes the device at `address` ("0000:00:10.1") from its driver, resets it and starts its
  /// queue `queue`; throws where something is not as expected.
  VirtioDevice(const std::string& address, std::uint16_t queue);
  VirtioDevice(const VirtioDevice&) = delete;
  VirtioDevice& operator=(const VirtioDevice&) = delete;

  /// Sends one message and returns the answer; empty when the device marks itself broken or is
  /// silent for 5 s.
  Bytes exchange(const Bytes& request);

  /// The largest message either way.
  [[nodiscard]] static std::size_t most_bytes();

 private:
  struct Region {
    volatile std::uint8_t* at = nullptr;
    std::uint32_t notify_multiplier = 0;
  };

  void map_regions(const std::string& folder);
  void start(std::uint16_t queue);
  template <typename T>
  volatile T& common(std::size_t offset);

  Region common_;
  Region notify_;
  volatile std::uint16_t* doorbell_ = nullptr;
  std::uint16_t queue_ = 0;
  std::uint8_t* memory_ = nullptr;  ///< the rings, then the request's pages, then the answer's
  std::vector<std::uint64_t> physical_;
  std::uint16_t sent_ = 0;
  int unanswered_ = 0;  ///< messages in a row
};

}  // namespace vmr::guest
