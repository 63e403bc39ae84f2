// SPDX-License-Identifier: MIT
#include "config/argument_files.hpp"
#include "config/share_tag.hpp"
#include "libvirt/import_parts.hpp"
#include "libvirt/share_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

void set_attribute(DomainElement& element, std::string_view attribute, int share,
                   std::string_view setting, Import& import) {
  import.set_share(share, std::string(setting), take(element, attribute).value_or(""));
}

Driver driver_of(const DomainElement& filesystem) {
  const auto* driver = find_child(filesystem, "driver");
  return driver != nullptr && peek(*driver, "type") == "virtiofs" ? Driver::virtiofs
                                                                  : Driver::ninep;
}

void import_driver(DomainElement& filesystem, int share, Import& import) {
  const bool is_virtiofs = driver_of(filesystem) == Driver::virtiofs;
  import.set_share(share, "DRIVER", is_virtiofs ? "virtiofs" : "9p");
  auto* driver = take_child(filesystem, "driver");
  if (driver == nullptr) return;
  take(*driver, "type");
  set_attribute(*driver, "wrpolicy", share, "WRPOLICY", import);
  // libvirt does not look at it for 9p.
  const auto queue = take(*driver, "queue").value_or("");
  if (is_virtiofs) import.set_share(share, "QUEUE_SIZE", queue);
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

/// Gives the share a tag and a mount folder that no other has, and that are ones.
void import_target(DomainElement& filesystem, int share, const std::string& source,
                   ShareNames& names, Import& import) {
  auto* target = take_child(filesystem, "target");
  const auto given = target == nullptr ? std::string() : take(*target, "dir").value_or("");
  // Without one our tag is the last part of the source, which has to be one as well.
  const auto asked = given.empty() ? source.substr(source.rfind('/') + 1) : given;
  const auto tag = names.settle_tag(asked, driver_of(filesystem));
  if (!given.empty() || tag != asked) import.set_share(share, "TARGET", tag);
  const auto& told = target == nullptr ? filesystem : *target;
  if (tag != asked) {
    import.change(told, fmt::format("with the tag '{}': {}. The guest mounts it by this tag", tag,
                                    names.objection));
  }
  const auto mount = names.settle_mount(tag, share);
  if (mount == "/mnt/" + tag) return;
  import.set_share(share, "MOUNT", mount);
  // Without a seed the guest mounts it where it always has.
  if (!import.has_seed) return;
  import.change(told, fmt::format("the guest mounts it at {}: no folder of /mnt can have this "
                                  "tag's name; set {} to another one",
                                  mount, share_variable(share, "MOUNT")));
}

void import_filesystem(DomainElement& filesystem, int share, const std::string& source,
                       ShareNames& names, Import& import) {
  filesystem.taken = true;
  auto* element = take_child(filesystem, "source");
  take(*element, "dir");
  import.set_share(share, "SOURCE", source);
  take(filesystem, "type");
  take_word(filesystem, "model", {"virtio", "virtio-non-transitional"});
  import_target(filesystem, share, source, names, import);
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

/// The path with a slash at its end, without `..`; as far as its text alone says.
std::string plain_path(std::string_view path) {
  std::string plain = "/";
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (part == "..") {
      plain.erase(plain.rfind('/', plain.size() - 2) + 1);
    } else if (!part.empty() && part != ".") {
      plain.append(part).append("/");
    }
  }
  return plain;
}

bool is_inside(const std::string& path, const std::string& folder) {
  return path.starts_with(folder) && path != folder;
}

/// What is in the folder of the other files that the machine is started from; empty: nothing.
std::string find_start_file(const std::string& folder, const Import& import) {
  std::vector<std::string> files;
  for (const auto& setting : import.found.settings) {
    const auto& name = setting.key.name;
    if (name == "KERNEL" || name == "INITRD") files.push_back(setting.text);
  }
  for (const auto& file : find_argument_files(import.extra_args)) {
    if (file.need == FileNeed::file || file.need == FileNeed::disk) files.push_back(file.path);
  }
  const auto found = std::find_if(files.begin(), files.end(), [&](const std::string& file) {
    return is_inside(plain_path(file), folder);
  });
  return found == files.end() ? std::string() : *found;
}

/// Why the folder is never shared; empty: it can be.
std::string objection_to_source(const std::string& source, bool is_read_only,
                                const Import& import) {
  if (source.empty() || source.front() != '/') return "its source is not an absolute path";
  const auto folder = plain_path(source);
  if (folder == "/") return "the whole file system is not shared; share a folder below it";
  const auto image = import.base_image.empty() ? std::string() : plain_path(import.base_image);
  // A source that is the image itself is no folder, which is told of at the start.
  if (is_inside(image, folder)) {
    return fmt::format(
        "the machine's own disk is in it ({}), which its guest must not reach; move one "
        "of them",
        import.base_image);
  }
  const auto file = is_read_only ? std::string() : find_start_file(folder, import);
  if (file.empty()) return {};
  return fmt::format(
      "what the machine is started with is in it ({}), which its guest must not change; move one "
      "of them, or make the share <readonly/>",
      file);
}

/// Why there is no share of ours for `filesystem`; empty: there is one.
std::string objection_to(const DomainElement& filesystem, std::size_t share, const Import& import) {
  const auto type = peek(filesystem, "type");
  const auto* source = find_child(filesystem, "source");
  const auto* driver = find_child(filesystem, "driver");
  const auto driver_type = driver == nullptr ? std::string_view{} : peek(*driver, "type");
  const auto path = source == nullptr ? std::string_view{} : peek(*source, "dir");
  if (!type.empty() && type != "mount") return "only folders of this machine are shared";
  if (!driver_type.empty() && driver_type != "path" && driver_type != "virtiofs") {
    return "shares are of the drivers path (9p) and virtiofs";
  }
  if (source != nullptr && !peek(*source, "socket").empty()) {
    return "vm-runner starts the virtiofsd of a share itself; give the folder as its source";
  }
  const bool is_read_only = find_child(filesystem, "readonly") != nullptr;
  if (auto objection = objection_to_source(std::string(path), is_read_only, import);
      !objection.empty()) {
    return objection;
  }
  if (share <= most_shares) return {};
  return fmt::format("a VM takes at most {} shares; share a folder that several of them are in",
                     most_shares);
}

}  // namespace

void import_filesystems(DomainElement& devices, Import& import) {
  ShareNames names(import.extra_args);
  int share = 1;
  for (auto& filesystem : devices.children) {
    if (filesystem.name != "filesystem") continue;
    const auto objection = objection_to(filesystem, static_cast<std::size_t>(share), import);
    if (objection.empty()) {
      const auto source = std::string(peek(*find_child(filesystem, "source"), "dir"));
      import_filesystem(filesystem, share++, source, names, import);
    } else {
      import.lose(filesystem, objection);
      take_all(filesystem);
    }
  }
}

}  // namespace vmr
