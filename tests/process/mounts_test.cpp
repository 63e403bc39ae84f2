// SPDX-License-Identifier: MIT
#include "host/mounts.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

const std::string mounts =
    "22 1 0:45 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/x\n"
    "23 22 8:1 /srv/my\\040share /share rw,relatime shared:5 master:2 - ext4 /dev/sda1 rw\n"
    "24 22 8:1 /srv /srv rw - ext4 /dev/sda1 rw\n"
    "25 22 0:50 / /tmp rw - tmpfs tmpfs rw\n"
    "26 22 0:51 / /share/over rw - tmpfs tmpfs rw\n"
    "27 22 8:2 / /share/over rw - xfs /dev/sdb rw\n";

TEST_CASE("a place is a device and a path on it, whichever mount leads there") {
  CHECK(find_place("/share/a", mounts).place == "8:1 /srv/my share/a");
  CHECK(find_place("/srv/my share/a", mounts).place == "8:1 /srv/my share/a");
  CHECK(find_place("/share", mounts).place == "8:1 /srv/my share");
  CHECK(find_place("/shared", mounts).place == "0:45 /shared");
  CHECK(find_place("/share/over/x", mounts).place == "8:2 /x");
  CHECK(find_place("/", mounts).place == "0:45 /");
  CHECK(find_place("/x", "").place == "");
  CHECK(find_place("/x", "no such line\n\n1 2 3\n").place == "");
}

TEST_CASE("what is mounted below a folder is told by its place") {
  using Places = std::vector<std::string>;
  CHECK(find_mounts_below("/share", mounts) == Places{"0:51 /", "8:2 /"});
  CHECK(find_mounts_below("/srv", mounts) == Places{});
  CHECK(find_mounts_below("/", mounts).size() == 5);
}

TEST_CASE("the root is told, and whether it is put together of layers") {
  CHECK(find_place("/opt/x", mounts).on_root_mount);
  CHECK(find_place("/opt/x", mounts).root_has_layers);
  CHECK_FALSE(find_place("/tmp/x", mounts).on_root_mount);
  CHECK_FALSE(find_place("/share", mounts).root_has_layers);
  const auto plain = find_place("/x", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
  CHECK(plain.on_root_mount);
  CHECK_FALSE(plain.root_has_layers);
  CHECK(find_place("/x", "22 1 0:3 / / rw - fuse.fuse-overlayfs fuse rw\n").root_has_layers);
}

TEST_CASE("mounts of this process are known") {
  CHECK(is_mount_point("/proc"));
  CHECK_FALSE(is_mount_point("/proc/self"));
  CHECK(find_place("/proc/self").place.ends_with(" /self"));
}

}  // namespace
}  // namespace vmr::test
