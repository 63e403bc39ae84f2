// SPDX-License-Identifier: MIT
#include "spec/own_disks.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using Kind = FileContents::Kind;

FileFacts image(Kind kind, const std::string& backing = {}) {
  auto facts = regular_file();
  facts.contents = {kind};
  facts.backing = backing;
  return facts;
}

Host host_with(const FileFacts& own) {
  auto host = docker_host();
  host.files["/d/own"] = own;
  host.files["/d/base"] = image(Kind::disk);
  host.files["/etc/shadow"] = regular_file();
  host.files["/etc/shadow"].mode = 0640;
  return host;
}

constexpr const char* way_out =
    "; or ALLOW_UNKNOWN_IMAGES=1 takes it as it is, and QEMU then has neither rules for files nor "
    "capabilities";

/// What is said of the arguments; empty: nothing.
std::string said_of(const Host& host, const std::string& arguments, Strings more = {}) {
  more.push_back("EXTRA_ARGS=" + arguments);
  const auto problems = judge(more, host).problems;
  return problems.empty() ? "" : problems[0].message;
}

TEST_CASE("what a header names beside its folder is refused, of the user's own disks too") {
  CHECK(judge({"EXTRA_ARGS=-hda /d/own"}, host_with(image(Kind::qcow2, "/etc/shadow"))).problems ==
        std::vector<Problem>{
            {"EXTRA_ARGS: the disk '/d/own': the image behind '/d/own', '/etc/shadow', is outside "
             "its folder and not opened without a word of yours",
             "EXTRA_ARGS (environment)",
             std::string("set BACKING_DIR=/etc if it belongs there, or make one image of it: "
                         "qemu-img convert -p -O qcow2 /d/own /d/own.whole.qcow2") +
                 way_out}});
  CHECK(said_of(host_with(image(Kind::qcow2, "/d/base")), "-hda /d/own") == "");
  CHECK(spec_of({"EXTRA_ARGS=-hda /d/own"}, host_with(image(Kind::qcow2, "/d/base"))).own_disks ==
        std::vector<OwnDisk>{{"/d/own", false, {{"/d/base", "raw"}}}});
}

TEST_CASE("a data file, another way to name one, and a ring are refused unless they are allowed") {
  auto data_file = image(Kind::qcow2);
  data_file.has_data_file = data_file.opens_unknown = true;
  data_file.data_file = "/etc/shadow";
  auto address = image(Kind::qcow2);
  address.opens_unknown = true;
  for (const auto& facts : {data_file, address, image(Kind::qcow2, "/d/own"), image(Kind::vmdk),
                            image(Kind::qed), image(Kind::qcow1)}) {
    const auto host = host_with(facts);
    for (const auto* drive : {"-hda /d/own", "-drive file=/d/own,if=virtio"}) {
      CHECK(said_of(host, drive).starts_with("EXTRA_ARGS: the disk '/d/own': "));
      CHECK(said_of(host, drive, {"ALLOW_UNKNOWN_IMAGES=1"}) == "");
      CHECK(spec_of({std::string("EXTRA_ARGS=") + drive, "ALLOW_UNKNOWN_IMAGES=1"}, host)
                .opens_unknown);
      // Root without rules would open everything.
      CHECK(said_of(host, drive,
                    {"ALLOW_UNKNOWN_IMAGES=1", "FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"})
                .ends_with(", and a 9p share keeps QEMU root"));
    }
    CHECK(said_of(host, "-drive file=/d/own,format=raw") == "");
  }
}

TEST_CASE("formats that only QEMU reads are refused by their names as well") {
  const auto host = host_with(image(Kind::unknown));
  for (const auto* format : {"vmdk", "qed", "qcow", "blkdebug", "no-such"}) {
    CHECK(said_of(host, std::string("-drive file=/d/own,format=") + format) != "");
  }
  for (const auto* format : {"raw", "vdi", "vpc", "vhdx", "parallels", "luks", "qcow2"}) {
    CHECK(said_of(host, std::string("-drive file=/d/own,format=") + format) == "");
  }
}

}  // namespace
}  // namespace vmr::test
