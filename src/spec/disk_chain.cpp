// SPDX-License-Identifier: MIT
#include "base/own_user.hpp"
#include "base/paths.hpp"
#include "base/shell_words.hpp"
#include "spec/boot_files.hpp"
#include "spec/disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace vmr {
namespace {

/// Longer than anybody makes one.
constexpr std::size_t longest_chain = 64;

std::string folder_of(const std::string& path) {
  const auto folder = path.substr(0, path.rfind('/'));
  return folder.empty() ? "/" : folder;
}

std::string real_path_of(const std::string& path, const Host& host) {
  const auto& real = facts_of(path, host).real_path;
  return real.empty() ? path : real;
}

bool is_below(const std::string& path, const std::string& folder) {
  return !folder.empty() && path.starts_with(folder.ends_with('/') ? folder : folder + '/');
}

std::string hint_to_convert(const std::string& image) {
  return fmt::format("make one image of it: qemu-img convert -p -O qcow2 {} {}", shell_quote(image),
                     shell_quote(image + ".whole.qcow2"));
}

/// Whether `backing` may be opened because it is named by the image `by`.
bool is_allowed(const Config& config, const Host& host, const std::string& backing,
                const std::string& by) {
  const auto real = real_path_of(backing, host);
  const auto& named = config.backing_dir.value;
  const auto named_folder =
      named.empty() ? "" : absolute_path(named, host.home, host.working_folder);
  return is_below(real, real_path_of(folder_of(by), host)) ||
         is_below(real, folder_of(real_path_of(by, host))) ||
         (!named.empty() && is_below(real, real_path_of(named_folder, host)));
}

/// Why the image `by` cannot be used for what its header names; empty: it can.
WrongFile check_header(const std::string& by, const Host& host) {
  const auto& facts = facts_of(by, host);
  if (facts.has_data_file) {
    return {fmt::format("the contents of '{}' are in another file that its header names (a data "
                        "file{}), which is not opened",
                        by, facts.data_file.empty() ? "" : ", '" + facts.data_file + "'"),
            hint_to_convert(by)};
  }
  if (facts.opens_unknown) {
    return {fmt::format("'{}' names the image behind it by something other than a path, which is "
                        "not opened",
                        by),
            hint_to_convert(by)};
  }
  return {};
}

bool has_mode_for(const Owner& user, const FileFacts& facts) {
  const int shift = facts.owner.uid == user.uid ? 6 : facts.owner.gid == user.gid ? 3 : 0;
  return (facts.mode >> shift & 04) != 0;
}

/// Whether QEMU's user may read a file by its owner and mode. The folders that lead there do not
/// count: an image in the folder that the user named is reached as that is.
bool qemu_may_read(const Config& config, const Host& host, const FileFacts& facts) {
  const auto& user = config.qemu_user.value;
  if (host.uid != 0 || user.kind == QemuUser::Kind::launcher) return true;
  if (user.kind == QemuUser::Kind::given) return has_mode_for(user.given, facts);
  const bool stays_root =
      !host.other_user ||
      std::any_of(config.shares.begin(), config.shares.end(), [](const ShareConfig& share) {
        return share.driver.value == Driver::ninep && share.accessmode.value != AccessMode::mapped;
      });
  const bool is_own = facts.owner.uid >= first_own_user && facts.owner.uid <= last_own_user;
  return (facts.mode & 04) != 0 || is_own || (stays_root && has_mode_for({0, 0}, facts));
}

WrongFile check_backing(const Config& config, const Host& host, const std::string& by) {
  const auto& backing = facts_of(by, host).backing;
  const auto& format = facts_of(by, host).backing_format;
  const auto& facts = facts_of(backing, host);
  const auto what = fmt::format("the image behind '{}', '{}',", by, backing);
  if (!is_allowed(config, host, backing, by)) {
    return {what + " is outside its folder and not opened without a word of yours",
            fmt::format("set BACKING_DIR={} if it belongs there, or {}",
                        shell_quote(folder_of(backing)), hint_to_convert(by))};
  }
  const auto rebase = fmt::format("qemu-img rebase -u -b NEW_PATH -F FORMAT {}", shell_quote(by));
  if (facts.kind == FileFacts::Kind::missing) {
    return {what + " is not there", "put it back, or where it has moved: " + rebase};
  }
  if (facts.kind == FileFacts::Kind::directory)
    return {what + " is a directory", hint_to_convert(by)};
  if (!facts.readable) {
    return {what + " cannot be read by this user", "change its owner or mode"};
  }
  // Of what is no file only a disk is looked into; QEMU would wait for whoever writes into a pipe.
  if (facts.kind == FileFacts::Kind::other && facts.contents == FileContents{}) {
    return {what + " is neither a file nor a disk", "name the image that belongs there: " + rebase};
  }
  if (!qemu_may_read(config, host, facts)) {
    return {what + " cannot be read by QEMU's own user, and a header is no reason to give it more",
            fmt::format("let it be read (chmod o+r {}), or {}", shell_quote(backing),
                        hint_to_convert(by))};
  }
  if (!format.empty() && format != "qcow2" && format != "raw") {
    return {fmt::format("{} is of the format '{}'", what, format), hint_to_convert(by)};
  }
  if (format == "raw") return {};
  // Behind an image may be anything that it fills up itself.
  if (auto wrong = check_disk(backing, facts.contents, true)) {
    return {fmt::format("{} is {}", what, wrong->reason), wrong->hint};
  }
  return {};
}

}  // namespace

ImageChain follow_chain(const Config& config, const Host& host, const std::string& image) {
  ImageChain chain;
  std::set<std::string> seen = {image};
  auto path = image;
  while (true) {
    chain.wrong = check_header(path, host);
    const auto& facts = facts_of(path, host);
    if (chain.wrong.reason.empty() && facts.backing.empty()) return chain;
    if (chain.wrong.reason.empty()) chain.wrong = check_backing(config, host, path);
    const bool is_ring = !seen.insert(facts.backing).second || chain.behind.size() >= longest_chain;
    if (chain.wrong.reason.empty() && is_ring) {
      chain.wrong = {fmt::format("the images behind '{}' have no end", image),
                     "give it another image: qemu-img rebase -u"};
    }
    if (!chain.wrong.reason.empty()) return chain;
    const bool is_qcow2 = facts_of(facts.backing, host).contents.kind == FileContents::Kind::qcow2;
    const auto format = !facts.backing_format.empty() ? facts.backing_format
                        : is_qcow2                    ? "qcow2"
                                                      : "raw";
    chain.behind.push_back({facts.backing, format});
    // What is called raw names nothing, whatever it begins with.
    if (format == "raw") return chain;
    path = facts.backing;
  }
}

std::vector<DiskImage> resolve_chain(const Config& config, const Host& host,
                                     const GuestImage& guest, Findings& findings) {
  auto chain = follow_chain(config, host, guest.disk);
  if (!chain.wrong.reason.empty()) {
    refuse_file(config.base_image, "disk", guest.disk, guest.disk_origin, chain.wrong, findings);
  }
  return std::move(chain.behind);
}

}  // namespace vmr
