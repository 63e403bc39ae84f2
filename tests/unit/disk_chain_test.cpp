// SPDX-License-Identifier: MIT
#include "spec/disk.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using Kind = FileContents::Kind;

FileFacts image(FileContents contents, const std::string& backing = {}) {
  auto facts = regular_file();
  facts.contents = std::move(contents);
  facts.backing = backing;
  return facts;
}

/// A guest with the disk /vms/top.qcow2.
Host host_with_disk(const FileFacts& top) {
  auto host = docker_host();
  host.guest = GuestImage{"d", "", "", "/vms/top.qcow2", "qcow2", "", ""};
  host.files["/vms/top.qcow2"] = top;
  return host;
}

const Strings settings = {"BASE_IMAGE=/vms/top.qcow2"};
const std::string refusal = "BASE_IMAGE='/vms/top.qcow2': ";
const std::string make_one =
    "make one image of it: qemu-img convert -p -O qcow2 /vms/top.qcow2 /vms/top.qcow2.whole.qcow2";

Verdict refused(const std::string& reason, const std::string& hint) {
  return {{{refusal + reason, "BASE_IMAGE (environment)", hint}}, {}};
}

TEST_CASE("the images behind a disk are named to QEMU, each with its format") {
  auto host = host_with_disk(image({Kind::qcow2}, "/vms/middle"));
  host.files["/vms/middle"] = image({Kind::qcow2}, "/vms/sub/raw");
  host.files["/vms/middle"].backing_format = "raw";
  host.files["/vms/sub/raw"] = image({Kind::disk});
  CHECK(spec_of(settings, host).disk->behind ==
        std::vector<DiskImage>{{"/vms/middle", "qcow2"}, {"/vms/sub/raw", "raw"}});
}

TEST_CASE("what is called raw names nothing, though it begins like an image that does") {
  auto host = host_with_disk(image({Kind::qcow2}, "/vms/middle"));
  host.files["/vms/top.qcow2"].backing_format = "raw";
  host.files["/vms/middle"] = image({Kind::qcow2}, "/etc/shadow");
  CHECK(spec_of(settings, host).disk->behind == std::vector<DiskImage>{{"/vms/middle", "raw"}});
}

TEST_CASE("an image behind another one has to be in its folder, or where BACKING_DIR says") {
  auto host = host_with_disk(image({Kind::qcow2}, "/etc/shadow"));
  host.files["/etc/shadow"] = image({Kind::text});
  CHECK(judge(settings, host) ==
        refused("the image behind '/vms/top.qcow2', '/etc/shadow', is outside its folder and not "
                "opened without a word of yours",
                "set BACKING_DIR=/etc if it belongs there, or " + make_one));
  host = host_with_disk(image({Kind::qcow2}, "/base/raw"));
  host.files["/base/raw"] = image({Kind::disk});
  CHECK(judge({settings[0], "BACKING_DIR=/base"}, host) == Verdict{});
  CHECK_FALSE(judge({settings[0], "BACKING_DIR=/bas"}, host) == Verdict{});
}

TEST_CASE("a link does not lead an image out of its folder") {
  auto host = host_with_disk(image({Kind::qcow2}, "/vms/link"));
  host.files["/vms/link"] = image({Kind::text});
  host.files["/vms/link"].real_path = "/etc/shadow";
  CHECK_FALSE(judge(settings, host) == Verdict{});
  // The folder itself may be one.
  host = host_with_disk(image({Kind::qcow2}, "/vms/base"));
  host.files["/vms"] = folder();
  host.files["/vms"].real_path = "/big/vms";
  host.files["/vms/base"] = image({Kind::disk});
  host.files["/vms/base"].real_path = "/big/vms/base";
  CHECK(judge(settings, host) == Verdict{});
}

TEST_CASE("an image that is missing, of another format or without end is refused") {
  CHECK(judge(settings, host_with_disk(image({Kind::qcow2}, "/vms/none"))) ==
        refused("the image behind '/vms/top.qcow2', '/vms/none', is not there",
                "put it back, or where it has moved: qemu-img rebase -u -b NEW_PATH -F FORMAT "
                "/vms/top.qcow2"));
  auto host = host_with_disk(image({Kind::qcow2}, "/vms/x"));
  host.files["/vms/x"] = image(FileContents{});
  host.files["/vms/x"].kind = FileFacts::Kind::other;
  CHECK(judge(settings, host) ==
        refused("the image behind '/vms/top.qcow2', '/vms/x', is neither a file nor a disk",
                "name the image that belongs there: qemu-img rebase -u -b NEW_PATH -F FORMAT "
                "/vms/top.qcow2"));
  host.files["/vms/x"].contents = {Kind::disk};
  CHECK(judge(settings, host) == Verdict{});
  host.files["/vms/x"] = image({Kind::vmdk});
  CHECK(judge(settings, host) ==
        refused("the image behind '/vms/top.qcow2', '/vms/x', is a VMware disk image (vmdk): only "
                "qcow2 and raw disk images are started",
                "convert it, and name the new file: qemu-img convert -p -f vmdk -O qcow2 /vms/x "
                "/vms/x.qcow2"));
  host.files["/vms/top.qcow2"].backing_format = "vmdk";
  CHECK(judge(settings, host) ==
        refused("the image behind '/vms/top.qcow2', '/vms/x', is of the format 'vmdk'", make_one));
  CHECK(judge(settings, host_with_disk(image({Kind::qcow2}, "/vms/top.qcow2"))) ==
        refused("the images behind '/vms/top.qcow2' have no end",
                "give it another image: qemu-img rebase -u"));
}

TEST_CASE("a header is no reason to read what QEMU's user could not") {
  auto host = host_with_disk(image({Kind::qcow2}, "/vms/secret"));
  host.files["/vms/secret"] = image({Kind::disk});
  host.files["/vms/secret"].mode = 0600;
  const auto verdict = refused(
      "the image behind '/vms/top.qcow2', '/vms/secret', cannot be read by QEMU's own user, "
      "and a header is no reason to give it more",
      "let it be read (chmod o+r /vms/secret), or " + make_one);
  CHECK(judge(settings, host) == verdict);
  // Who stays root reads what is root's; a chosen user what is its own.
  CHECK(judge({settings[0], "QEMU_USER=launcher"}, host) == Verdict{});
  CHECK(judge({settings[0], "QEMU_USER=0:0"}, host) == Verdict{});
  CHECK(judge({settings[0], "QEMU_USER=1000:1000"}, host) == verdict);
  host.files["/vms/secret"].owner = {1000, 1000};
  CHECK(judge({settings[0], "QEMU_USER=1000:1000"}, host) == Verdict{});
  CHECK(judge({settings[0], "FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"}, host).problems ==
        verdict.problems);
}

TEST_CASE("a header that names other contents, or what is no path, is refused") {
  auto host = host_with_disk(image({Kind::qcow2}));
  host.files["/vms/top.qcow2"].opens_unknown = true;
  CHECK(judge(settings, host) ==
        refused("'/vms/top.qcow2' names the image behind it by something other than a path, which "
                "is not opened",
                make_one));
  host.files["/vms/top.qcow2"].has_data_file = true;
  CHECK(judge(settings, host) ==
        refused("the contents of '/vms/top.qcow2' are in another file that its header names (a "
                "data file), which is not opened",
                make_one));
  host.files["/vms/top.qcow2"].data_file = "/etc/shadow";
  CHECK(judge(settings, host) ==
        refused("the contents of '/vms/top.qcow2' are in another file that its header names (a "
                "data file, '/etc/shadow'), which is not opened",
                make_one));
}

}  // namespace
}  // namespace vmr::test
