// SPDX-License-Identifier: MIT
#include "guest/virtio_device.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace vmr::guest {
namespace {

/// After so many messages without an answer nobody is there any more.
constexpr int most_unanswered = 3;
constexpr std::size_t page = 4096;
constexpr std::uint16_t ring_size = 32;
constexpr std::size_t request_pages = 17;
constexpr std::size_t answer_pages = 2;
// Each ring has a page of its own.
constexpr std::size_t descriptors_page = 0;
constexpr std::size_t available_page = 1;
constexpr std::size_t used_page = 2;
constexpr std::size_t request_page = 3;
constexpr std::size_t answer_page = request_page + request_pages;
constexpr std::size_t all_pages = answer_page + answer_pages;

struct Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};
constexpr std::uint16_t descriptor_next = 1;
constexpr std::uint16_t descriptor_write = 2;

struct Available {
  std::uint16_t flags;
  std::uint16_t index;
  std::array<std::uint16_t, ring_size> ring;
};

struct Used {
  std::uint16_t flags;
  std::uint16_t index;
  struct {
    std::uint32_t id;
    std::uint32_t length;
  } ring[ring_size];
};

int open_or_throw(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  return fd;
}

/// Where each page of `memory` is in the machine.
std::vector<std::uint64_t> physical_pages(const std::uint8_t* memory) {
  const int fd = open_or_throw("/proc/self/pagemap", O_RDONLY);
  std::vector<std::uint64_t> addresses;
  for (std::size_t i = 0; i < all_pages; ++i) {
    std::uint64_t entry = 0;
    const auto number = reinterpret_cast<std::uintptr_t>(memory) / page + i;
    const auto size = ::pread(fd, &entry, sizeof entry, static_cast<off_t>(number * sizeof entry));
    const auto frame = entry & ((std::uint64_t{1} << 55) - 1);
    if (size != sizeof entry || frame == 0) throw std::runtime_error("no physical address");
    addresses.push_back(frame * page);
  }
  ::close(fd);
  return addresses;
}

void take_from_driver(const std::string& address) {
  const int fd = ::open("/sys/bus/pci/drivers/virtio-pci/unbind", O_WRONLY | O_CLOEXEC);
  const auto size = static_cast<ssize_t>(address.size());
  const bool done = ::write(fd, address.data(), address.size()) == size;
  ::close(fd);
  if (!done) throw std::runtime_error("cannot take " + address + ": " + std::strerror(errno));
}

}  // namespace

std::size_t VirtioDevice::most_bytes() {
  return request_pages * page;
}

template <typename T>
volatile T& VirtioDevice::common(std::size_t offset) {
  return *reinterpret_cast<volatile T*>(common_.at + offset);
}

void VirtioDevice::map_regions(const std::string& folder) {
  const int config = open_or_throw(folder + "config", O_RDWR);
  const auto read = [&](std::size_t at, auto& value) {
    if (::pread(config, &value, sizeof value, static_cast<off_t>(at)) != sizeof value) {
      throw std::runtime_error("cannot read " + folder + "config");
    }
  };
  const std::uint16_t memory_and_master = 6;
  if (::pwrite(config, &memory_and_master, 2, 4) != 2) throw std::runtime_error("no bus master");
  std::uint8_t at = 0;
  for (read(0x34, at); at != 0;) {
    virtio_pci_notify_cap capability{};
    read(at, capability.cap);
    const auto& cap = capability.cap;
    const bool is_common = cap.cfg_type == VIRTIO_PCI_CAP_COMMON_CFG;
    if (cap.cap_vndr == 9 && (is_common || cap.cfg_type == VIRTIO_PCI_CAP_NOTIFY_CFG)) {
      if (!is_common) read(at, capability);
      const int fd = open_or_throw(folder + "resource" + std::to_string(cap.bar), O_RDWR);
      void* mapped = ::mmap(nullptr, cap.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            static_cast<off_t>(cap.offset));
      ::close(fd);
      if (mapped == MAP_FAILED) throw std::runtime_error(std::string("bar: ") + strerror(errno));
      (is_common ? common_ : notify_) = {static_cast<volatile std::uint8_t*>(mapped),
                                         capability.notify_off_multiplier};
    }
    at = cap.cap_next;
  }
  ::close(config);
  if (common_.at == nullptr || notify_.at == nullptr) throw std::runtime_error("not virtio 1");
}

void VirtioDevice::start(std::uint16_t queue) {
  using Config = virtio_pci_common_cfg;
  auto& status = common<std::uint8_t>(offsetof(Config, device_status));
  status = 0;
  while (status != 0) {
  }
  status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
  for (std::uint32_t half = 0; half < 2; ++half) {
    common<std::uint32_t>(offsetof(Config, guest_feature_select)) = half;
    common<std::uint32_t>(offsetof(Config, guest_feature)) =
        half == 1 ? 1U << (VIRTIO_F_VERSION_1 - 32) : 0;
  }
  status = status | VIRTIO_CONFIG_S_FEATURES_OK;
  common<std::uint16_t>(offsetof(Config, queue_select)) = queue;
  common<std::uint16_t>(offsetof(Config, queue_size)) = ring_size;
  const auto set_address = [&](std::size_t offset, std::size_t ring_page) {
    common<std::uint32_t>(offset) = static_cast<std::uint32_t>(physical_[ring_page]);
    common<std::uint32_t>(offset + 4) = static_cast<std::uint32_t>(physical_[ring_page] >> 32);
  };
  set_address(offsetof(Config, queue_desc_lo), descriptors_page);
  set_address(offsetof(Config, queue_avail_lo), available_page);
  set_address(offsetof(Config, queue_used_lo), used_page);
  const auto doorbell = common<std::uint16_t>(offsetof(Config, queue_notify_off));
  doorbell_ = reinterpret_cast<volatile std::uint16_t*>(notify_.at + std::size_t{doorbell} *
                                                                         notify_.notify_multiplier);
  common<std::uint16_t>(offsetof(Config, queue_enable)) = 1;
  status = status | VIRTIO_CONFIG_S_DRIVER_OK;
}

VirtioDevice::VirtioDevice(const std::string& address, std::uint16_t queue) : queue_(queue) {
  take_from_driver(address);
  map_regions("/sys/bus/pci/devices/" + address + "/");
  void* memory = ::mmap(nullptr, all_pages * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory");
  memory_ = static_cast<std::uint8_t*>(memory);
  std::memset(memory_, 0, all_pages * page);
  physical_ = physical_pages(memory_);
  start(queue);
}

Bytes VirtioDevice::exchange(const Bytes& request) {
  if (request.size() > most_bytes()) throw std::length_error("request");
  std::memcpy(memory_ + request_page * page, request.data(), request.size());
  std::memset(memory_ + answer_page * page, 0, answer_pages * page);
  auto* descriptors = reinterpret_cast<Descriptor*>(memory_ + descriptors_page * page);
  std::uint16_t count = 0;
  for (std::size_t at = 0; at < request.size(); at += page, ++count) {
    const auto length = std::min(page, request.size() - at);
    descriptors[count] = {physical_[request_page + count], static_cast<std::uint32_t>(length),
                          descriptor_next, static_cast<std::uint16_t>(count + 1)};
  }
  for (std::size_t i = 0; i < answer_pages; ++i, ++count) {
    const bool last = i + 1 == answer_pages;
    descriptors[count] = {physical_[answer_page + i], page,
                          static_cast<std::uint16_t>(descriptor_write | (last ? 0 : 1)),
                          static_cast<std::uint16_t>(last ? 0 : count + 1)};
  }
  auto* available = reinterpret_cast<volatile Available*>(memory_ + available_page * page);
  const auto* used = reinterpret_cast<const volatile Used*>(memory_ + used_page * page);
  const_cast<Available*>(available)->ring[sent_ % ring_size] = 0;
  if (unanswered_ >= most_unanswered) return {};
  // Not counted from the start: a message that was never answered must not make all later ones
  // wait.
  const auto before = used->index;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  available->index = ++sent_;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  *doorbell_ = queue_;
  const auto started = std::time(nullptr);
  // There is no interrupt to wait for in user space.
  while (used->index == before) {
    const auto status = common<std::uint8_t>(offsetof(virtio_pci_common_cfg, device_status));
    const bool is_broken = (status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;
    if (is_broken || std::time(nullptr) - started > 5) {
      ++unanswered_;
      return {};
    }
    const timespec pause{0, 50'000};
    ::nanosleep(&pause, nullptr);
  }
  unanswered_ = 0;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto* answer = memory_ + answer_page * page;
  return {answer, answer + answer_pages * page};
}

}  // namespace vmr::guest
