// SPDX-License-Identifier: MIT
#include "config/disk_record.hpp"

#include "support/hostile_values.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

TEST_CASE("the record of a disk is lines of shell words") {
  DiskRecord record;
  record.digest = "sha256:00";
  record.images = {{"/guest/my disk.qcow2", "qcow2", "8-a"}, {"/guest/base", "raw", ""}};
  const std::string text =
      "vm-runner-disk-1\nkind overlay\ndigest sha256:00\nimage qcow2 8-a '/guest/my disk.qcow2'\n"
      "image raw '' /guest/base\n";
  CHECK(print_disk_record(record) == text);
  CHECK(read_disk_record(text) == record);
}

TEST_CASE("the record of a copy has the kernel that is kept with it") {
  DiskRecord record;
  record.is_copy = true;
  record.images = {{"/guest/disk.qcow2", "qcow2", "8-a"}};
  record.kernel = "/data/vm.kernel";
  record.initrd = "/data/vm.initrd";
  record.cmdline = "root=LABEL=x rw 'a b'\n%";
  CHECK(read_disk_record(print_disk_record(record)) == record);
}

TEST_CASE("paths in a record may hold every byte") {
  for (const auto& value : hostile_names()) {
    DiskRecord record;
    record.images = {{"/" + value, "raw", "1-b"}};
    CHECK(read_disk_record(print_disk_record(record)) == record);
  }
}

TEST_CASE("what is no record is none") {
  for (const auto* text : {"", "\n", "vm-runner-disk-2\nkind copy\n", "vm-runner-disk-1\n",
                           "vm-runner-disk-1\nkind x\n", "vm-runner-disk-1\nkind overlay\n",
                           "vm-runner-disk-1\nkind overlay\nimage qcow2 8-a\n",
                           "vm-runner-disk-1\nkind copy\nmore x\n",
                           "vm-runner-disk-1\nkind copy\ndigest 'open\n", "\x7f\x01\x02"}) {
    CAPTURE(text);
    CHECK(read_disk_record(text) == std::nullopt);
  }
}

}  // namespace
}  // namespace vmr::test
