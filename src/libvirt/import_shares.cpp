// SPDX-License-Identifier: MIT
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

void set_attribute(DomainElement& element, std::string_view attribute, int share,
                   std::string_view setting, Import& import) {
  import.set_share(share, std::string(setting), take(element, attribute).value_or(""));
}

void import_driver(DomainElement& filesystem, int share, Import& import) {
  auto* driver = take_child(filesystem, "driver");
  const bool virtiofs = driver != nullptr && take_word(*driver, "type", {"virtiofs"}).has_value();
  import.set_share(share, "DRIVER", virtiofs ? "virtiofs" : "9p");
  if (driver == nullptr) return;
  take_word(*driver, "type", {"path"});
  set_attribute(*driver, "wrpolicy", share, "WRPOLICY", import);
  set_attribute(*driver, "queue", share, "QUEUE_SIZE", import);
}

/// What libvirt has about the virtiofsd of a share.
void import_binary(DomainElement& filesystem, int share, Import& import) {
  auto* binary = take_child(filesystem, "binary");
  if (binary == nullptr) return;
  if (const auto xattr = take_word(*binary, "xattr", {"on", "off"})) {
    import.set_share(share, "XATTR", *xattr == "on" ? "true" : "false");
  }
  constexpr std::array<std::array<std::string_view, 3>, 3> parts = {
      {{"cache", "mode", "CACHE"},
       {"sandbox", "mode", "SANDBOX"},
       {"thread_pool", "size", "THREAD_POOL_SIZE"}}};
  for (const auto& [child, attribute, setting] : parts) {
    if (auto* part = take_child(*binary, child)) {
      set_attribute(*part, attribute, share, setting, import);
    }
  }
}

void import_target(DomainElement& filesystem, int share, Import& import) {
  auto* target = take_child(filesystem, "target");
  if (target == nullptr) return;
  const auto tag = take(*target, "dir").value_or("");
  import.set_share(share, "TARGET", tag);
  const bool is_folder = tag != "." && tag != ".." && tag.find('/') == tag.npos;
  if (is_folder) return;
  // The tag may be a path; there the guest of the libvirt domain has probably mounted it.
  auto name = tag;
  std::replace(name.begin(), name.end(), '/', '-');
  std::replace(name.begin(), name.end(), '.', '-');
  name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
  const auto mount = fmt::format("/mnt/{}", name.empty() ? fmt::format("share{}", share) : name);
  import.set_share(share, "MOUNT", mount);
  import.change(*target, fmt::format("the guest mounts it at {}: no folder of /mnt can have this "
                                     "tag's name; set {} to another one",
                                     mount, share_variable(share, "MOUNT")));
}

void import_filesystem(DomainElement& filesystem, int share, const std::string& source,
                       Import& import) {
  filesystem.taken = true;
  auto* element = take_child(filesystem, "source");
  take(*element, "dir");
  import.set_share(share, "SOURCE", source);
  take(filesystem, "type");
  take_word(filesystem, "model", {"virtio", "virtio-non-transitional"});
  import_target(filesystem, share, import);
  import_driver(filesystem, share, import);
  set_attribute(filesystem, "accessmode", share, "ACCESSMODE", import);
  if (take_child(filesystem, "readonly") != nullptr) import.set_share(share, "READONLY", "true");
  set_attribute(filesystem, "fmode", share, "FMODE", import);
  set_attribute(filesystem, "dmode", share, "DMODE", import);
  take_word(filesystem, "multidevs", {"default"});
  if (peek(filesystem, "multidevs") != "default") {
    set_attribute(filesystem, "multidevs", share, "MULTIDEVS", import);
  }
  import_binary(filesystem, share, import);
}

/// Why there is no share of ours for `filesystem`; empty: there is one.
std::string objection_to(DomainElement& filesystem, int share) {
  const auto type = peek(filesystem, "type");
  auto* source = find_child(filesystem, "source");
  auto* driver = find_child(filesystem, "driver");
  const auto driver_type = driver == nullptr ? std::string_view{} : peek(*driver, "type");
  const auto path = source == nullptr ? std::string_view{} : peek(*source, "dir");
  if (!type.empty() && type != "mount") return "only folders of this machine are shared";
  if (!driver_type.empty() && driver_type != "path" && driver_type != "virtiofs") {
    return "shares are of the drivers path (9p) and virtiofs";
  }
  if (source != nullptr && !peek(*source, "socket").empty()) {
    return "vm-runner starts the virtiofsd of a share itself; give the folder as its source";
  }
  if (path.empty() || path.front() != '/') return "its source is not an absolute path";
  if (share > max_share_number) return fmt::format("at most {} shares", max_share_number);
  return {};
}

}  // namespace

void import_filesystems(DomainElement& devices, Import& import) {
  int share = 1;
  for (auto& filesystem : devices.children) {
    if (filesystem.name != "filesystem") continue;
    const auto objection = objection_to(filesystem, share);
    if (objection.empty()) {
      auto* source = find_child(filesystem, "source");
      import_filesystem(filesystem, share++, std::string(peek(*source, "dir")), import);
    } else {
      import.lose(filesystem, objection);
      take_all(filesystem);
    }
  }
}

}  // namespace vmr
