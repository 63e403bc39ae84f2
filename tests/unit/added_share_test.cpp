// SPDX-License-Identifier: MIT
#include "config/load.hpp"
#include "plan/seed.hpp"
#include "spec/shares.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vmr::test {
namespace {

/// What comes of adding share 3 with these settings to a machine that has shares 1 and 2.
AddedShare add(const Strings& settings, const Strings& machine = {}) {
  const auto present = spec_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/new",
                                "FILESYSTEM2_DRIVER=9p", "FILESYSTEM2_TARGET=nine"},
                               docker_host())
                           .shares;
  Arguments arguments;
  for (const auto& setting : settings) arguments.assignments.push_back("FILESYSTEM3_" + setting);
  return resolve_added_share(load_config(arguments, machine, {}).config, present, docker_host());
}

Strings messages_of(const AddedShare& added) {
  Strings messages;
  for (const auto& problem : added.problems) messages.push_back(problem.message);
  return messages;
}

TEST_CASE("a share that comes later is checked like any other") {
  const auto added = add({"SOURCE=/more", "TARGET=m, 'x'", "READONLY=0"});
  CHECK(messages_of(added) == Strings{});
  CHECK(added.share.number == 3);
  CHECK(added.share.tag == "m, 'x'");
  CHECK(added.share.mount == "/mnt/m, 'x'");
  CHECK(added.share.sandbox == Sandbox::chroot);
  CHECK(messages_of(add({"SOURCE=/more", "QUEUE_SIZE=3"})) ==
        Strings{"FILESYSTEM3_QUEUE_SIZE='3': queue size must be a power of 2, 1024 or smaller"});
}

TEST_CASE("a share that comes later without a sandbox is worth the same warning") {
  auto usual = add({"SOURCE=/more"}).warnings;
  usual.insert(usual.begin(),
               "Filesystem #3: FILESYSTEM3_SANDBOX='none': virtiofsd runs without a sandbox: a "
               "guest's root may get out of the source; leave it out for the strongest "
               "sandbox that works here");
  CHECK(add({"SOURCE=/more", "SANDBOX=none"}).warnings == usual);
}

TEST_CASE("a share that cannot come later is refused in libvirt's words") {
  CHECK(messages_of(add({"SOURCE=/more", "DRIVER=9p"})) ==
        Strings{"FILESYSTEM3_DRIVER='9p': only virtiofs filesystems can be hotplugged"});
  CHECK(messages_of(add({"SOURCE=/more", "TARGET=nine"})) ==
        Strings{"Target already exists: filesystem #2 has the tag 'nine'"});
  CHECK(messages_of(add({"SOURCE=/more", "MOUNT=/mnt/nine"})) ==
        Strings{"FILESYSTEM3_MOUNT='/mnt/nine': '/mnt/nine' is already the mount folder of "
                "filesystem #2"});
  CHECK(messages_of(add({"SOURCE=/more"}, {"EXTRA_ARGS=-machine q35,memory-backend=m -object "
                                           "memory-backend-ram,id=m,size=4G"})) ==
        Strings{"EXTRA_ARGS: 'virtiofs' requires shared memory, and the memory backend 'm' is not "
                "shared"});
}

TEST_CASE("a share to add of which nothing is given is refused") {
  const Strings missing = {"missing source information for the added share: no SOURCE is given"};
  CHECK(messages_of(add({})) == missing);
  CHECK(messages_of(add({"SOURCE="})) == missing);
  CHECK(messages_of(add({"SOURCE=/more", "SOURCE="})) == missing);
}

TEST_CASE("the script that unmounts one share is plain ASCII") {
  Share share;
  share.number = 7;
  share.tag = "ü";
  share.mount = "/mnt/a 'b'";
  const auto script = unmount_script(share);
  CHECK(std::all_of(script.begin(), script.end(), [](char c) { return c > 0; }));
  CHECK(
      script.ends_with("unmount_share 7 virtiofs \"$(printf '\\303\\274')\" '/mnt/a '\\''b'\\'''"
                       "\n"));
}

}  // namespace
}  // namespace vmr::test
