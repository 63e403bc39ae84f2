// SPDX-License-Identifier: MIT
#include "plan/qemu_img.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using Words = std::vector<std::string>;

Disk chain() {
  Disk disk{"/v/a,b", "qcow2", "/data/vm.qcow2"};
  disk.behind = {{"/v/middle", "qcow2"}, {"/v/json:{}", "raw"}};
  return disk;
}

const std::string whole_chain =
    "driver=qcow2,file.filename=/v/a,,b,"
    "backing.driver=qcow2,backing.file.driver=file,backing.file.filename=/v/middle,"
    "backing.backing.driver=raw,backing.backing.file.driver=file,"
    "backing.backing.file.filename=/v/json:{}";

TEST_CASE("qemu-img is given every image with its format") {
  auto disk = chain();
  disk.is_copy = true;
  CHECK(words_to_make(disk, "disk", 0) ==
        Words{"convert", "-q", "--image-opts", whole_chain, "-O", "qcow2", "disk"});
  CHECK(words_to_measure(disk) ==
        Words{"measure", "--output=json", "-O", "qcow2", "--image-opts", whole_chain});
}

TEST_CASE("of an image that is alone nothing is said of one behind it") {
  const Disk disk{"/v/raw", "raw", "/data/vm.qcow2", true};
  CHECK(words_to_make(disk, "disk", 0) == Words{"convert", "-q", "--image-opts",
                                                "driver=raw,file.filename=/v/raw", "-O", "qcow2",
                                                "disk"});
}

TEST_CASE("an overlay is made without a look at its image") {
  CHECK(words_to_make(chain(), "disk", 68157440) == Words{"create", "-q", "-u", "-f", "qcow2", "-F",
                                                          "qcow2", "-b", "/v/a,b", "disk",
                                                          "68157440"});
}

}  // namespace
}  // namespace vmr::test
