// SPDX-License-Identifier: MIT
#include "guest/raw_share.hpp"

#include <algorithm>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdexcept>
#include <sys/sysmacros.h>

namespace vmr::guest {
namespace {

constexpr std::uint32_t count = 2048;
constexpr std::size_t header = sizeof(fuse_out_header);

struct Body : Message {
  Body& name(const std::string& text) {
    add_text(text).add('\0');
    return *this;
  }
};

template <typename T>
Body body(const T& value) {
  Body made;
  made.add(value);
  return made;
}

class Fuse final : public RawShare {
 public:
  explicit Fuse(const std::string& address) : device_(address, 1) {
    fuse_init_in init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = std::min(FUSE_KERNEL_MINOR_VERSION, 36);
    init.max_readahead = 4096;
    if (!send(FUSE_INIT, 0, body(init))) throw std::runtime_error("no FUSE");
  }

  [[nodiscard]] Node root() const override { return FUSE_ROOT_ID; }
  [[nodiscard]] Node forged(std::uint64_t number) const override { return FUSE_ROOT_ID + number; }

  // The Rust virtiofsd answers nothing more then.
  [[nodiscard]] bool survives_nul() const override { return false; }

  std::optional<Node> walk(Node from, const std::vector<std::string>& names) override {
    for (const auto& name : names) {
      const auto answer = send(FUSE_LOOKUP, from, Body().name(name));
      from = answer ? value_at<std::uint64_t>(*answer, header) : 0;
      if (from == 0) return {};
    }
    return from;
  }

  std::optional<std::string> read(Node node) override {
    return data(FUSE_READ, node, opened(FUSE_OPEN, node, O_RDONLY | O_NONBLOCK));
  }
  std::optional<std::string> list(Node node) override {
    return data(FUSE_READDIR, node, opened(FUSE_OPENDIR, node, O_RDONLY | O_DIRECTORY));
  }
  bool write(Node node, const std::string& text) override {
    const auto handle = opened(FUSE_OPEN, node, O_WRONLY);
    if (!handle) return false;
    fuse_write_in in{};
    in.fh = *handle;
    in.size = static_cast<std::uint32_t>(text.size());
    auto arguments = body(in);
    arguments.add_text(text);
    return send(FUSE_WRITE, node, arguments).has_value();
  }
  bool open(Node node, int flags) override { return opened(FUSE_OPEN, node, flags).has_value(); }

  bool set_mode(Node node, mode_t mode) override {
    fuse_setattr_in in{};
    in.valid = FATTR_MODE;
    in.mode = mode;
    return send(FUSE_SETATTR, node, body(in)).has_value();
  }
  bool set_owner(Node node, std::uint32_t owner) override {
    fuse_setattr_in in{};
    in.valid = FATTR_UID | FATTR_GID;
    in.uid = in.gid = owner;
    return send(FUSE_SETATTR, node, body(in)).has_value();
  }
  bool set_time(Node node, std::uint64_t seconds) override {
    fuse_setattr_in in{};
    in.valid = FATTR_MTIME;
    in.mtime = seconds;
    return send(FUSE_SETATTR, node, body(in)).has_value();
  }
  bool set_size(Node node, std::uint64_t size) override {
    fuse_setattr_in in{};
    in.valid = FATTR_SIZE;
    in.size = size;
    return send(FUSE_SETATTR, node, body(in)).has_value();
  }
  bool set_xattr(Node node, const std::string& name, const std::string& value) override {
    // The first two fields: the rest is for a flag that was not negotiated.
    Body arguments;
    arguments.add(static_cast<std::uint32_t>(value.size())).add(std::uint32_t{0});
    arguments.name(name).add_text(value);
    return send(FUSE_SETXATTR, node, arguments).has_value();
  }

  bool create(Node folder, const std::string& name) override {
    fuse_create_in in{};
    // Without O_CREAT, which the C virtiofsd passes on where the name exists: glibc ends it then.
    in.flags = O_RDWR | O_TRUNC;
    in.mode = S_IFREG | 0644;
    return send(FUSE_CREATE, folder, body(in).name(name)).has_value();
  }
  bool make_folder(Node folder, const std::string& name) override {
    return send(FUSE_MKDIR, folder, body(fuse_mkdir_in{0755, 0}).name(name)).has_value();
  }
  bool make_symlink(Node folder, const std::string& name, const std::string& target) override {
    return send(FUSE_SYMLINK, folder, Body().name(name).name(target)).has_value();
  }
  bool make_special(Node folder, const std::string& name, mode_t mode, int major,
                    int minor) override {
    fuse_mknod_in in{};
    in.mode = mode;
    in.rdev = static_cast<std::uint32_t>(
        ::makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor)));
    return send(FUSE_MKNOD, folder, body(in).name(name)).has_value();
  }
  bool link(Node file, Node folder, const std::string& name) override {
    return send(FUSE_LINK, folder, body(fuse_link_in{file}).name(name)).has_value();
  }
  bool rename(Node from, const std::string& name, Node to, const std::string& new_name) override {
    return send(FUSE_RENAME, from, body(fuse_rename_in{to}).name(name).name(new_name)).has_value();
  }
  bool remove(Node folder, const std::string& name, bool is_folder) override {
    const auto opcode = is_folder ? FUSE_RMDIR : FUSE_UNLINK;
    return send(opcode, folder, Body().name(name)).has_value();
  }

 private:
  std::optional<Bytes> send(std::uint32_t opcode, Node node, const Message& arguments) {
    fuse_in_header in{};
    in.len = static_cast<std::uint32_t>(sizeof in + arguments.bytes.size());
    in.opcode = opcode;
    in.unique = unique_ += 2;
    in.nodeid = node;
    Message message;
    message.add(in);
    message.bytes.insert(message.bytes.end(), arguments.bytes.begin(), arguments.bytes.end());
    auto answer = device_.exchange(message.bytes);
    if (answer.empty()) throw std::runtime_error("FUSE: no answer");
    if (value_at<std::int32_t>(answer, offsetof(fuse_out_header, error)) != 0) return {};
    return answer;
  }

  std::optional<std::uint64_t> opened(std::uint32_t opcode, Node node, int flags) {
    fuse_open_in in{};
    in.flags = static_cast<std::uint32_t>(flags);
    const auto answer = send(opcode, node, body(in));
    if (!answer) return {};
    return value_at<std::uint64_t>(*answer, header);
  }

  std::optional<std::string> data(std::uint32_t opcode, Node node,
                                  const std::optional<std::uint64_t>& handle) {
    if (!handle) return {};
    fuse_read_in in{};
    in.fh = *handle;
    in.size = count;
    const auto answer = send(opcode, node, body(in));
    if (!answer) return {};
    const auto size = value_at<std::uint32_t>(*answer, 0) - header;
    const auto* text = reinterpret_cast<const char*>(answer->data()) + header;
    return std::string(text, std::min<std::size_t>(size, count));
  }

  VirtioDevice device_;
  std::uint64_t unique_ = 0;
};

}  // namespace

std::unique_ptr<RawShare> raw_fuse(const std::string& address) {
  return std::make_unique<Fuse>(address);
}

}  // namespace vmr::guest
