// SPDX-License-Identifier: MIT
#include "guest/raw_share.hpp"

#include <fcntl.h>
#include <stdexcept>

namespace vmr::guest {
namespace {

enum Type : std::uint8_t {
  error = 7,
  lopen = 12,
  lcreate = 14,
  symlink_to = 16,
  mknod_at = 18,
  setattr = 26,
  xattrcreate = 32,
  readdir = 40,
  link_to = 70,
  mkdir_at = 72,
  renameat_to = 74,
  unlinkat_of = 76,
  version = 100,
  attach = 104,
  walk_to = 110,
  read_from = 116,
  write_to = 118,
  clunk = 120,
};

constexpr std::uint32_t no_fid = ~0U;
constexpr std::uint32_t root_fid = 1;
constexpr std::uint32_t count = 2048;
constexpr std::size_t header = 7;

struct Arguments : Message {
  Arguments& fid(Node node) {
    add(static_cast<std::uint32_t>(node));
    return *this;
  }
  Arguments& number(std::uint32_t value) {
    add(value);
    return *this;
  }
  Arguments& name(const std::string& text) {
    add(static_cast<std::uint16_t>(text.size()));
    add_text(text);
    return *this;
  }
};

class NineP final : public RawShare {
 public:
  explicit NineP(const std::string& address) : device_(address, 0) {
    if (!send(version, Arguments().number(8192).name("9P2000.L"), 0xffff)) {
      throw std::runtime_error("no 9P2000.L");
    }
    if (!send(attach, Arguments().fid(root_fid).number(no_fid).name("root").name("").number(0))) {
      throw std::runtime_error("cannot attach");
    }
  }

  [[nodiscard]] Node root() const override { return root_fid; }
  [[nodiscard]] Node forged(std::uint64_t number) const override { return 0x10000 + number; }
  [[nodiscard]] bool survives_nul() const override { return true; }

  std::optional<Node> walk(Node from, const std::vector<std::string>& names) override {
    Arguments arguments;
    arguments.fid(from).fid(++last_fid_).add(static_cast<std::uint16_t>(names.size()));
    for (const auto& name : names) arguments.name(name);
    const auto answer = send(walk_to, arguments);
    // Fewer names than asked for make no fid.
    if (!answer || value_at<std::uint16_t>(*answer, header) != names.size()) return {};
    return last_fid_;
  }

  std::optional<std::string> read(Node node) override {
    const auto fid = opened(node, O_RDONLY | O_NONBLOCK);
    return fid ? data(send(read_from, Arguments().fid(*fid).number(0).number(0).number(count)))
               : std::nullopt;
  }
  std::optional<std::string> list(Node node) override {
    const auto fid = opened(node, O_RDONLY | O_DIRECTORY);
    return fid ? data(send(readdir, Arguments().fid(*fid).number(0).number(0).number(count)))
               : std::nullopt;
  }
  bool write(Node node, const std::string& text) override {
    const auto fid = opened(node, O_WRONLY);
    return fid && write_fid(*fid, text);
  }
  bool open(Node node, int flags) override { return opened(node, flags).has_value(); }

  bool set_mode(Node node, mode_t mode) override { return set(node, 1, mode, 0, 0, 0); }
  bool set_owner(Node node, std::uint32_t owner) override { return set(node, 6, 0, owner, 0, 0); }
  bool set_size(Node node, std::uint64_t size) override { return set(node, 8, 0, 0, size, 0); }
  bool set_time(Node node, std::uint64_t seconds) override {
    return set(node, 0x20 | 0x100, 0, 0, 0, seconds);
  }
  bool set_xattr(Node node, const std::string& name, const std::string& value) override {
    const auto fid = walk(node, {});
    if (!fid) return false;
    Arguments arguments;
    arguments.fid(*fid).name(name).add(std::uint64_t{value.size()});
    if (!send(xattrcreate, arguments.number(0))) return false;
    const bool is_written = write_fid(*fid, value);
    return send(clunk, Arguments().fid(*fid)) && is_written;
  }

  bool create(Node folder, const std::string& name) override {
    const auto fid = walk(folder, {});
    return fid && send(lcreate, Arguments()
                                    .fid(*fid)
                                    .name(name)
                                    .number(O_RDWR | O_CREAT | O_TRUNC)
                                    .number(0644)
                                    .number(0));
  }
  bool make_folder(Node folder, const std::string& name) override {
    return send(mkdir_at, Arguments().fid(folder).name(name).number(0755).number(0)).has_value();
  }
  bool make_symlink(Node folder, const std::string& name, const std::string& target) override {
    return send(symlink_to, Arguments().fid(folder).name(name).name(target).number(0)).has_value();
  }
  bool make_special(Node folder, const std::string& name, mode_t mode, int major,
                    int minor) override {
    auto arguments = Arguments().fid(folder).name(name).number(mode);
    arguments.number(static_cast<std::uint32_t>(major)).number(static_cast<std::uint32_t>(minor));
    return send(mknod_at, arguments.number(0)).has_value();
  }
  bool link(Node file, Node folder, const std::string& name) override {
    return send(link_to, Arguments().fid(folder).fid(file).name(name)).has_value();
  }
  bool rename(Node from, const std::string& name, Node to, const std::string& new_name) override {
    return send(renameat_to, Arguments().fid(from).name(name).fid(to).name(new_name)).has_value();
  }
  bool remove(Node folder, const std::string& name, bool is_folder) override {
    const std::uint32_t flags = is_folder ? AT_REMOVEDIR : 0;
    return send(unlinkat_of, Arguments().fid(folder).name(name).number(flags)).has_value();
  }

 private:
  std::optional<Bytes> send(Type type, const Message& arguments, std::uint16_t tag = 0) {
    Message message;
    message.add(static_cast<std::uint32_t>(header + arguments.bytes.size())).add(type).add(tag);
    message.bytes.insert(message.bytes.end(), arguments.bytes.begin(), arguments.bytes.end());
    auto answer = device_.exchange(message.bytes);
    if (answer.empty()) throw std::runtime_error("9p: no answer");
    if (answer.at(4) != type + 1) return {};
    return answer;
  }

  /// A fid of its own for `node`, open.
  std::optional<Node> opened(Node node, int flags) {
    const auto fid = walk(node, {});
    if (!fid || !send(lopen, Arguments().fid(*fid).number(static_cast<std::uint32_t>(flags)))) {
      return {};
    }
    return fid;
  }

  bool write_fid(Node fid, const std::string& text) {
    Arguments arguments;
    arguments.fid(fid).number(0).number(0).number(static_cast<std::uint32_t>(text.size()));
    return send(write_to, static_cast<Arguments&>(arguments.add_text(text))).has_value();
  }

  bool set(Node node, std::uint32_t valid, mode_t mode, std::uint32_t owner, std::uint64_t size,
           std::uint64_t seconds) {
    Arguments arguments;
    arguments.fid(node).number(valid).number(mode).number(owner).number(owner);
    arguments.add(size).add(std::uint64_t{0}).add(std::uint64_t{0});
    arguments.add(seconds).add(std::uint64_t{0});
    return send(setattr, arguments).has_value();
  }

  static std::optional<std::string> data(const std::optional<Bytes>& answer) {
    if (!answer) return {};
    const auto size = std::min(value_at<std::uint32_t>(*answer, header), count);
    const auto* text = reinterpret_cast<const char*>(answer->data()) + header + 4;
    return std::string(text, size);
  }

  VirtioDevice device_;
  std::uint32_t last_fid_ = root_fid;
};

}  // namespace

std::unique_ptr<RawShare> raw_9p(const std::string& address) {
  return std::make_unique<NineP>(address);
}

}  // namespace vmr::guest
