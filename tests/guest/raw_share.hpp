// SPDX-License-Identifier: MIT
// A share without the guest's kernel: messages that no kernel would send.
#pragma once

#include "guest/virtio_device.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vmr::guest {

/// A file as the host's side numbers it: a fid of 9p, a node of FUSE.
using Node = std::uint64_t;

/// The messages of one protocol. What fails returns false or nothing, whatever the reason; names
/// go out as they are.
class RawShare {
 public:
  virtual ~RawShare() = default;

  /// The shared folder.
  [[nodiscard]] virtual Node root() const = 0;
  /// The file that the other side would have as its `number`th.
  [[nodiscard]] virtual Node forged(std::uint64_t number) const = 0;

  /// Whether the other side goes on after a name with a NUL in it.
  [[nodiscard]] virtual bool survives_nul() const = 0;

  /// All of `names` in one step, where the protocol has such.
  virtual std::optional<Node> walk(Node from, const std::vector<std::string>& names) = 0;
  /// The beginning of the file, or the names in the folder.
  virtual std::optional<std::string> read(Node node) = 0;
  virtual std::optional<std::string> list(Node node) = 0;
  virtual bool write(Node node, const std::string& text) = 0;
  virtual bool open(Node node, int flags) = 0;

  virtual bool set_mode(Node node, mode_t mode) = 0;
  virtual bool set_owner(Node node, std::uint32_t owner) = 0;
  virtual bool set_time(Node node, std::uint64_t seconds) = 0;
  virtual bool set_size(Node node, std::uint64_t size) = 0;
  virtual bool set_xattr(Node node, const std::string& name, const std::string& value) = 0;

  virtual bool create(Node folder, const std::string& name) = 0;
  virtual bool make_folder(Node folder, const std::string& name) = 0;
  virtual bool make_symlink(Node folder, const std::string& name, const std::string& target) = 0;
  virtual bool make_special(Node folder, const std::string& name, mode_t mode, int major,
                            int minor) = 0;
  virtual bool link(Node file, Node folder, const std::string& name) = 0;
  virtual bool rename(Node from, const std::string& name, Node to, const std::string& new_name) = 0;
  virtual bool remove(Node folder, const std::string& name, bool is_folder) = 0;
};

/// 9P2000.L with the device at this PCI address; throws when the host does not answer.
std::unique_ptr<RawShare> raw_9p(const std::string& address);
/// FUSE, as virtiofsd speaks it.
std::unique_ptr<RawShare> raw_fuse(const std::string& address);

/// Puts a message together, in little endian.
class Message {
 public:
  template <typename T>
  Message& add(const T& value) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(&value);
    bytes.insert(bytes.end(), at, at + sizeof value);
    return *this;
  }
  Message& add_text(const std::string& text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }

  Bytes bytes;
};

/// The value at `offset` of a message; zero behind its end.
template <typename T>
T value_at(const Bytes& bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= bytes.size()) __builtin_memcpy(&value, &bytes[offset], sizeof value);
  return value;
}

}  // namespace vmr::guest
