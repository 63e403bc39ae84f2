// SPDX-License-Identifier: MIT
// What is kept, and what it may be kept over.
#include "config/disk_record.hpp"
#include "config/load.hpp"
#include "spec/disk.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/kept_disk.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace vmr::test {
namespace {

using Kind = FileContents::Kind;

TEST_CASE("a new disk is made over the image, with a record of what that is") {
  const auto disk = spec_of(settings, machine()).disk;
  CHECK_FALSE(disk->is_copy);
  CHECK(read_disk_record(disk->record) == record_of_base());
  auto host = machine();
  host.guest->digest = "sha256:00";
  host.files[image].backing = "/vms/raw";
  host.files["/vms/raw"] = regular_file();
  host.files["/vms/raw"].contents.kind = Kind::disk;
  host.files["/vms/raw"].fingerprint = "50-b";
  auto record = record_of_base();
  record.digest = "sha256:00";
  record.images.push_back({"/vms/raw", "raw", "50-b"});
  CHECK(read_disk_record(spec_of(settings, host).disk->record) == record);
}

TEST_CASE("in a container, or where it is asked for, a new disk is a copy") {
  const auto is_copy = [](Host host, const Strings& more) {
    return spec_of(with(more), host).disk->is_copy;
  };
  auto container = machine();
  container.surroundings = Surroundings::docker;
  CHECK(is_copy(container, {}));
  CHECK_FALSE(is_copy(container, {"PERSIST_BASE=overlay"}));
  CHECK(is_copy(machine(), {"PERSIST_BASE=copy"}));
  CHECK_FALSE(is_copy(machine(), {"PERSIST_BASE=auto"}));
}

TEST_CASE("a copy keeps the kernel of its guest, and boots it however the image changes") {
  auto host = machine();
  host.guest->kernel = "/g/vmlinux";
  host.guest->initrd = "/g/initrd";
  host.guest->cmdline = "root=x";
  host.files["/g/vmlinux"] = regular_file();
  const auto disk = spec_of(with({"PERSIST_BASE=copy"}), host).disk;
  using Copies = std::vector<std::pair<std::string, std::string>>;
  CHECK(disk->copies ==
        Copies{{"/g/vmlinux", "/data/vm.kernel"}, {"/g/initrd", "/data/vm.initrd"}});
  const auto record = read_disk_record(disk->record).value();
  CHECK(record.is_copy);
  CHECK(record.kernel == "/data/vm.kernel");
  CHECK(record.cmdline == "root=x");
  auto later = machine_with_disk(record);
  later.guest->kernel = "/g/newer";
  later.guest->cmdline = "root=y";
  later.files[image].fingerprint = "101-c";
  later.files["/data/vm.kernel"] = regular_file();
  const auto spec = spec_of(with({"CMDLINE=quiet"}), later);
  CHECK(spec.boot == Boot{"/data/vm.kernel", "/data/vm.initrd", "root=x quiet"});
  CHECK(spec.disk->is_copy);
  CHECK(images_of(*spec.disk).empty());
  later.files["/k"] = regular_file();
  CHECK(spec_of(with({"KERNEL=/k"}), later).boot.kernel == "/k");
}

TEST_CASE("a copy is measured only when every rule holds") {
  const auto is_measured = [](const Strings& given, const Host& of) {
    return find_disk_to_copy(load_config({}, given, {}).config, of).has_value();
  };
  CHECK(is_measured(with({"PERSIST_BASE=copy"}), machine()));
  CHECK_FALSE(is_measured(settings, machine()));
  CHECK_FALSE(is_measured({}, machine()));
  auto copy = record_of_base();
  copy.is_copy = true;
  CHECK_FALSE(is_measured(with({"PERSIST_BASE=copy"}), machine_with_disk(copy)));
  auto host = machine();
  host.files[image] = disk_image("/vms/behind");
  host.files["/vms/behind"] = disk_image();
  CHECK(is_measured(with({"PERSIST_BASE=copy"}), host));
  host.files["/vms/behind"].contents.kind = Kind::vmdk;
  CHECK_FALSE(is_measured(with({"PERSIST_BASE=copy"}), host));
  host.files[image].backing = "/elsewhere";
  host.files["/elsewhere"] = disk_image();
  CHECK_FALSE(is_measured(with({"PERSIST_BASE=copy"}), host));
}

TEST_CASE("a copy without room is refused before anything is written") {
  auto host = machine();
  host.disk_place.free = 300 << 20;
  host.disk_place.copy_size = std::uint64_t{2} << 30;
  CHECK(
      judge(with({"PERSIST_BASE=copy"}), host) ==
      refused("a copy of the image takes 2.0 GiB, and for '/data/vm.qcow2' there are 301 MiB",
              "make room, set DATA_DIR to another folder, or set PERSIST_BASE=overlay, which needs "
              "the image at each start"));
  CHECK(judge(settings, host) == Verdict{});
  host.disk_place.copy_problem = "it is broken";
  CHECK(judge(with({"PERSIST_BASE=copy"}), host) ==
        refused("'/vms/base.qcow2' cannot be copied: it is broken",
                "see what is wrong with the image, or set PERSIST_BASE=overlay"));
}

TEST_CASE("a disk goes on over the image it was made over, wherever that is now") {
  CHECK(judge(settings, machine_with_disk(record_of_base())) == Verdict{});
  auto moved = record_of_base();
  moved.images.front().path = "/old/base.qcow2";
  const auto host = machine_with_disk(moved);
  CHECK(judge(settings, host) == Verdict{});
  CHECK(images_of(*spec_of(settings, host).disk) == std::vector<DiskImage>{{image, "qcow2"}});
  CHECK(spec_of(settings, host).disk->record.empty());
}

TEST_CASE("a disk over an image that was made anew is refused") {
  auto host = machine_with_disk(record_of_base());
  host.files[image].fingerprint = "100-b";
  const auto changed = refused(
      "the persistent disk '/data/vm.qcow2' was made over '/vms/base.qcow2' as it was then; what "
      "is "
      "in that image now is something else, with which the disk would be garbage",
      "put back the image it was made over; " + anew);
  CHECK(judge(settings, host) == changed);
  // The same as far as was looked, but whoever made it says otherwise.
  auto record = record_of_base();
  record.digest = "sha256:00";
  host = machine_with_disk(record);
  host.guest->digest = "sha256:01";
  CHECK(judge(settings, host) == changed);
  // Something behind it.
  record = record_of_base();
  record.images.push_back({"/vms/raw", "raw", "5-c"});
  CHECK(judge(settings, machine_with_disk(record)) == changed);
}

TEST_CASE("a disk over another image is refused, with the image it belongs to") {
  auto record = record_of_base();
  record.images.front() = {"/vms/other.qcow2", "qcow2", "7-o"};
  auto host = machine_with_disk(record);
  CHECK(judge(settings, host) ==
        refused("the persistent disk '/data/vm.qcow2' was made over '/vms/other.qcow2', which is "
                "gone or changed; over '/vms/base.qcow2' it would be garbage",
                "put back the image it was made over; " + anew));
  host.files["/vms/other.qcow2"] = disk_image();
  host.files["/vms/other.qcow2"].fingerprint = "7-o";
  CHECK(judge(settings, host) ==
        refused("the persistent disk '/data/vm.qcow2' was made over '/vms/other.qcow2'; over "
                "'/vms/base.qcow2' it would be garbage",
                "set BASE_IMAGE to the image it was made over; " + anew));
}

TEST_CASE("an image that is gone is told together with the disk that needs it") {
  auto host = machine_with_disk(record_of_base());
  host.guest.reset();
  host.guest_problem = "no such file";
  CHECK(judge(settings, host).problems ==
        std::vector<Problem>{
            {"BASE_IMAGE='/vms/base.qcow2': no such file", "BASE_IMAGE (environment)",
             "put the image back: the persistent disk '/data/vm.qcow2' was made over "
             "'/vms/base.qcow2' and is nothing without it; another GUEST_NAME or DATA_DIR begins "
             "with an empty disk"}});
}

TEST_CASE("a disk from before there were records is taken over where that is plausible") {
  auto host = machine();
  host.files[kept] = disk_image(image);
  host.files[kept].changed = 2;
  host.files[image].changed = 1;
  CHECK(
      judge(settings, host) ==
      Verdict{{},
              {"the persistent disk '/data/vm.qcow2' has no record of the image it was made over; "
               "it is taken to be '/vms/base.qcow2' as it is now, which '/data/vm.qcow2.base' says "
               "from now on"}});
  CHECK(read_disk_record(spec_of(settings, host).disk->record) == record_of_base());
  const std::string rebase =
      ", say so: qemu-img rebase -u -b /vms/base.qcow2 -F qcow2 /data/vm.qcow2; " + anew;
  host.files[image].changed = 3;
  CHECK(judge(settings, host) ==
        refused("the image '/vms/base.qcow2' is newer than the persistent disk '/data/vm.qcow2', "
                "and nothing tells whether it is the one that the disk was made over",
                "if it is" + rebase));
  host.files[kept].backing = "/vms/other";
  CHECK(judge(settings, host) ==
        refused("nothing tells what the persistent disk '/data/vm.qcow2' was made over: its header "
                "names '/vms/other', and the image is '/vms/base.qcow2'",
                "if it was made over this image" + rebase));
  host.files["/vms/other"].real_path = image;
  host.files[image].changed = 1;
  CHECK(judge(settings, host).problems.empty());
}

TEST_CASE("a disk that names no image needs none") {
  auto host = machine_with_disk(record_of_base());
  host.files[kept].backing.clear();
  host.files[image].fingerprint = "100-b";
  CHECK(judge(settings, host) == Verdict{});
  CHECK(spec_of(settings, host).disk->is_copy);
}

TEST_CASE("what a header says that a guest may have written does not count") {
  auto host = machine_with_disk(record_of_base());
  host.files[kept].backing = "/etc/shadow";
  CHECK(
      judge(settings, host) ==
      Verdict{{},
              {"the header of the persistent disk '/data/vm.qcow2' names '/etc/shadow' behind it; "
               "what was recorded counts, '/vms/base.qcow2'"}});
  CHECK(images_of(*spec_of(settings, host).disk) == std::vector<DiskImage>{{image, "qcow2"}});
  auto record = record_of_base();
  record.is_copy = true;
  host = machine_with_disk(record);
  host.files[kept].backing = "/etc/shadow";
  const std::string rewritten = "somebody has rewritten it: do not start it; " + anew;
  CHECK(judge(settings, host) ==
        refused("the header of the persistent disk '/data/vm.qcow2' names an image behind it, "
                "'/etc/shadow', though it was made whole",
                rewritten));
  host = machine_with_disk(record_of_base());
  host.files[kept].has_data_file = true;
  CHECK(judge(settings, host) ==
        refused("the header of the persistent disk '/data/vm.qcow2' says that its contents are in "
                "another file, which vm-runner never makes",
                rewritten));
}

TEST_CASE("a persistent disk or a record that is damaged is refused") {
  auto host = machine_with_disk(record_of_base());
  host.files[kept].contents = {Kind::broken_qcow2, "cut short: contents are missing"};
  CHECK(judge(settings, host) ==
        refused("the persistent disk '/data/vm.qcow2' cannot be used: it is a qcow2 image that "
                "cannot be used: cut short: contents are missing",
                "put back a good copy, or " + anew));
  host = machine_with_disk(record_of_base());
  host.disk_place.record.reset();
  CHECK(judge(settings, host) ==
        refused("'/data/vm.qcow2.base', which says what the persistent disk was made over, is "
                "damaged",
                "put it back, or remove it: then the disk is looked at as one without it"));
}

TEST_CASE("in a container a disk has to be on a mount, and /data is taken where it is one") {
  auto host = machine();
  host.surroundings = Surroundings::docker;
  host.files["/data"].on_root_mount = true;
  CHECK(
      judge(settings, host) ==
      refused("'/data' is on the container's own layer, and is lost with it",
              "mount a volume there, or at /data, which is used without a DATA_DIR: docker run -v "
              "vm-data:/data"));
  host.files["/data"].on_root_mount = false;
  host.has_data_volume = true;
  const Strings without_folder = {settings[0], settings[1], settings[3]};
  CHECK(spec_of(without_folder, host).disk->persistent == kept);
}

}  // namespace
}  // namespace vmr::test
