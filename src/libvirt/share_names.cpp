// SPDX-License-Identifier: MIT
#include "libvirt/share_names.hpp"

#include "base/qemu_words.hpp"
#include "config/share_tag.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

/// `text` cut to `most` bytes, at the end of a character.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80) --most;
  return std::string(text.substr(0, most));
}

/// `name` if `is_free`, else with the first number behind it that is, in `most` bytes.
template <typename Predicate>
std::string numbered(const std::string& name, std::size_t most, Predicate is_free) {
  auto candidate = name;
  for (int number = 2; !is_free(candidate); ++number) {
    const auto suffix = fmt::format("-{}", number);
    candidate = cut(name, most - suffix.size()) + suffix;
  }
  return candidate;
}

}  // namespace

ShareNames::ShareNames(const std::vector<std::string>& extra_args) {
  for (const auto& option : split_options(extra_args)) {
    if (option.name != "device") continue;
    const auto keys = read_keys(option.value);
    for (const auto* key : {"tag", "mount_tag"}) {
      if (auto tag = last_value(keys, key); !tag.empty()) tags_.insert(std::move(tag));
    }
  }
}

std::string ShareNames::settle_tag(std::string_view asked, Driver driver) {
  const auto most = longest_tag(driver);
  auto tag = cut(asked, most);
  for (auto& c : tag) {
    if (has_control_character({&c, 1})) c = '-';
  }
  if (names_a_disk(tag)) tag[tag.find('=')] = '-';
  if (tag.empty()) tag = "share";
  objection = asked.size() > most
                  ? fmt::format("QEMU takes at most {} bytes for it", most)
                  : std::string("the guest could not mount it by the one that is given");
  if (tags_.contains(tag)) objection = fmt::format("another share has '{}'", tag);
  tag = numbered(tag, most, [&](const std::string& name) { return !tags_.contains(name); });
  tags_.insert(tag);
  return tag;
}

std::string ShareNames::settle_mount(const std::string& tag, int share) {
  auto name = tag;
  if (!is_folder_name(tag)) {
    // The tag may be a path; there the guest of the libvirt domain has probably mounted it.
    std::replace(name.begin(), name.end(), '/', '-');
    std::replace(name.begin(), name.end(), '.', '-');
    name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
    if (name.empty()) name = fmt::format("share{}", share);
  }
  name = numbered(name, longest_tag(Driver::virtiofs),
                  [&](const std::string& one) { return !mounts_.contains(one); });
  mounts_.insert(name);
  return "/mnt/" + name;
}

}  // namespace vmr
