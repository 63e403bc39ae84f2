// SPDX-License-Identifier: MIT
#include "spec/share_names.hpp"

#include "base/paths.hpp"
#include "config/share_tag.hpp"
#include "spec/guest_folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// Why no share is mounted at `mount`, which is `clean` without what means nothing; empty: it can.
std::string_view objection_to_mount(const std::string& mount, const std::string& clean) {
  if (has_control_character(mount)) return "a mount folder cannot have control characters";
  if (mount.front() != '/') return "not an absolute path";
  if (clean == "/") return "the share would hide the whole guest";
  if ((clean + '/').find("/../") != clean.npos) return "a mount folder cannot have '..'";
  if (hides_the_guest(clean)) return "the share would hide what the guest itself has there";
  return {};
}

/// A problem about the tag, whether it was given or comes from the source's name.
void refuse_tag(const ShareConfig& config, const Share& share, const std::string& reason,
                Findings& findings) {
  const bool derived = config.target.value.empty();
  findings.problems.push_back(
      {fmt::format("{}='{}': {}", config.target.origin.variable, share.tag, reason),
       describe(derived ? config.source.origin : config.target.origin),
       derived
           ? "set " + config.target.origin.variable + " (by default the source's last component)"
           : std::string("choose another tag")});
}

}  // namespace

std::string tag_of(const ShareConfig& config, const std::string& source) {
  if (!config.target.value.empty() || config.target.invalid) return config.target.value;
  return source.substr(source.rfind('/') + 1);
}

void check_tag(const ShareConfig& config, const Share& share, Findings& findings) {
  const bool is_9p = share.driver == Driver::ninep;
  const auto limit = longest_tag(share.driver);
  if (share.tag.empty()) {
    refuse_tag(config, share, "missing target information for device", findings);
  } else if (share.tag.size() > limit) {
    refuse_tag(config, share,
               fmt::format("the tag is {} bytes, {} takes at most {}", share.tag.size(),
                           word_for(is_9p ? Driver::ninep : Driver::virtiofs), limit),
               findings);
  } else if (names_a_disk(share.tag)) {
    refuse_tag(config, share, "the guest's mount would take it for the label of a disk", findings);
  } else if (has_control_character(share.tag)) {
    refuse_tag(config, share, "a tag cannot have control characters", findings);
  } else if (config.mount.value.empty() && !is_folder_name(share.tag)) {
    refuse_tag(config, share,
               fmt::format("'/mnt/{}' is not a folder directly below /mnt", share.tag), findings);
  }
}

std::string resolve_mount(const ShareConfig& config, const std::string& tag, Findings& findings) {
  const std::string& mount = config.mount.value;
  if (mount.empty()) return tag.empty() || config.mount.invalid ? std::string() : "/mnt/" + tag;
  auto clean = absolute_path(mount, "", "/");
  if (const auto objection = objection_to_mount(mount, clean); !objection.empty()) {
    findings.refuse(config.mount, objection,
                    "use a folder of its own, such as /srv/data, or leave it out for /mnt/" +
                        (tag.empty() ? "<tag>" : tag));
  }
  return clean;
}

void check_names(const ShareConfig& config, const Share& share, const std::vector<Share>& earlier,
                 Findings& findings) {
  const auto same_tag = std::find_if(earlier.begin(), earlier.end(), [&](const Share& other) {
    return !share.tag.empty() && other.tag == share.tag;
  });
  if (same_tag != earlier.end()) {
    refuse_tag(config, share,
               fmt::format("filesystem target '{}' specified twice (also by filesystem #{})",
                           share.tag, same_tag->number),
               findings);
    // The folder follows from the tag.
    if (config.mount.value.empty()) return;
  }
  const auto same_mount = std::find_if(earlier.begin(), earlier.end(), [&](const Share& other) {
    return !share.mount.empty() && other.mount == share.mount;
  });
  if (same_mount == earlier.end()) return;
  const auto reason = fmt::format("'{}' is already the mount folder of filesystem #{}", share.mount,
                                  same_mount->number);
  if (config.mount.value.empty()) {
    refuse_tag(config, share, reason, findings);
  } else {
    findings.refuse(config.mount, reason, "choose another folder or tag");
  }
}

}  // namespace vmr
