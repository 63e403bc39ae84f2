// SPDX-License-Identifier: MIT
#include "plan/qemu_img.hpp"

namespace vmr {
namespace {

/// The image with all that is behind it, for --image-opts.
std::string describe_chain(const Disk& disk) {
  QemuOption option("driver=" + disk.format);
  // A copy may be made of a block device as well, for which the driver is another.
  option.set("file.filename", disk.image);
  set_backing(option, disk.behind);
  return option.text();
}

}  // namespace

void set_backing(QemuOption& option, const std::vector<DiskImage>& images) {
  std::string prefix = "backing.";
  for (const auto& image : images) {
    option.set(prefix + "driver", image.format).set(prefix + "file.driver", "file");
    option.set(prefix + "file.filename", image.path);
    prefix += "backing.";
  }
}

bool is_copied_as_file(const Disk& disk) {
  return disk.is_copy && disk.format == "qcow2" && disk.behind.empty();
}

std::vector<std::string> words_to_make(const Disk& disk, const std::string& path,
                                       std::uint64_t virtual_size) {
  if (disk.is_copy) {
    return {"convert", "-q", "--image-opts", describe_chain(disk), "-O", "qcow2", path};
  }
  // With -u it asks no header for the size.
  return {"create",
          "-q",
          "-u",
          "-f",
          "qcow2",
          "-F",
          disk.format,
          "-b",
          disk.image,
          path,
          std::to_string(virtual_size)};
}

std::vector<std::string> words_to_measure(const Disk& disk) {
  return {"measure", "--output=json", "-O", "qcow2", "--image-opts", describe_chain(disk)};
}

}  // namespace vmr
