// SPDX-License-Identifier: MIT
#include "spec/share_names.hpp"

#include "config/variables.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

TEST_CASE("the tag and the folder of a share without a source are checked too") {
  auto host = docker_host();
  const auto problems = [&](const Strings& settings) {
    Strings environment = {"FILESYSTEM_SOURCE=/share"};
    environment.insert(environment.end(), settings.begin(), settings.end());
    auto found = judge(environment, host).problems;
    REQUIRE(!found.empty());
    CHECK(found.front().message == "FILESYSTEM2_SOURCE: missing source information for device");
    found.erase(found.begin());
    return found;
  };
  const std::string origin = "FILESYSTEM2_TARGET (environment)";
  CHECK(problems({"FILESYSTEM2_TARGET=UUID=1"}) ==
        std::vector<Problem>{{"FILESYSTEM2_TARGET='UUID=1': the guest's mount would take it for "
                              "the label of a disk",
                              origin, "choose another tag"}});
  CHECK(problems({"FILESYSTEM2_TARGET=share"}) ==
        std::vector<Problem>{{"FILESYSTEM2_TARGET='share': filesystem target 'share' specified "
                              "twice (also by filesystem #1)",
                              origin, "choose another tag"}});
  CHECK(problems({"FILESYSTEM2_MOUNT=/mnt/share"}) ==
        std::vector<Problem>{{"FILESYSTEM2_MOUNT='/mnt/share': '/mnt/share' is already the mount "
                              "folder of filesystem #1",
                              "FILESYSTEM2_MOUNT (environment)", "choose another folder or tag"}});
  CHECK(problems({"FILESYSTEM2_MOUNT=srv"}) ==
        std::vector<Problem>{{"FILESYSTEM2_MOUNT='srv': not an absolute path",
                              "FILESYSTEM2_MOUNT (environment)",
                              "use a folder of its own, such as /srv/data, or leave it out for "
                              "/mnt/<tag>"}});
  CHECK(
      judge({"FILESYSTEM_READONLY=1", "FILESYSTEM2_READONLY=1"}, debian_12_host()).problems ==
      std::vector<Problem>{
          {"FILESYSTEM_SOURCE: missing source information for device",
           "FILESYSTEM_READONLY (environment)", "set FILESYSTEM_SOURCE to the folder to share"},
          {"FILESYSTEM2_SOURCE: missing source information for device",
           "FILESYSTEM2_READONLY (environment)", "set FILESYSTEM2_SOURCE to the folder to share"}});
}

TEST_CASE("a mount folder is a folder that the guest can spare") {
  const std::string relative = "not an absolute path";
  const std::string root = "the share would hide the whole guest";
  const std::string climbs = "a mount folder cannot have '..'";
  const std::string control = "a mount folder cannot have control characters";
  const std::string hides = "the share would hide what the guest itself has there";
  std::vector<std::pair<std::string, std::string>> rows = {
      {"data", relative},   {"~/data", relative}, {"/", root},        {"//", root},
      {"/a/../b", climbs},  {"/..", climbs},      {"/a\nb", control}, {"/dev/shm/x", hides},
      {"/proc/sys", hides}, {"/sys/fs", hides},   {"/usr/", hides},   {"//etc/.", hides}};
  for (const std::string folder : {"etc", "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32",
                                   "dev", "proc", "sys", "run", "var", "boot", "root", "home"}) {
    rows.emplace_back("/" + folder, hides);
  }
  for (const auto& [mount, reason] : rows) {
    CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_MOUNT=" + mount}, docker_host()) ==
          Verdict{{{"FILESYSTEM_MOUNT='" + mount + "': " + reason, "FILESYSTEM_MOUNT (environment)",
                    "use a folder of its own, such as /srv/data, or leave it out for /mnt/share"}},
                  {}});
  }
  for (const std::string mount : {"/home/me", "/var/lib/x", "/library", "/devices", "/srv", "/etc2",
                                  "/usr/local/share", "/mnt/dev", "/root/x"}) {
    CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_MOUNT=" + mount}, docker_host()) ==
          Verdict{});
  }
  const auto share =
      spec_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_MOUNT=/a b/..c/$(x), 'y'/"}, docker_host());
  CHECK(share.shares.at(0).mount == "/a b/..c/$(x), 'y'");
}

TEST_CASE("two shares with one tag whatever their drivers") {
  auto host = docker_host();
  host.files = {{"/a", folder()}, {"/b", folder()}, {"/c/v0", folder()}};
  for (const std::string first : {"virtiofs", "9p"}) {
    for (const std::string second : {"virtiofs", "9p"}) {
      CHECK(
          judge({"FILESYSTEM_SOURCE=/a", "FILESYSTEM_TARGET=v0", "FILESYSTEM_DRIVER=" + first,
                 "FILESYSTEM4_SOURCE=/b", "FILESYSTEM4_TARGET=v0", "FILESYSTEM4_DRIVER=" + second},
                host) ==
          Verdict{{{"FILESYSTEM4_TARGET='v0': filesystem target 'v0' specified twice (also by "
                    "filesystem #1)",
                    "FILESYSTEM4_TARGET (environment)", "choose another tag"}},
                  {}});
    }
  }
  CHECK(judge({"FILESYSTEM_SOURCE=/a", "FILESYSTEM_TARGET=v0", "FILESYSTEM2_SOURCE=/c/v0"}, host) ==
        Verdict{{{"FILESYSTEM2_TARGET='v0': filesystem target 'v0' specified twice (also by "
                  "filesystem #1)",
                  "FILESYSTEM2_SOURCE (environment)",
                  "set FILESYSTEM2_TARGET (by default the source's last component)"}},
                {}});
}

TEST_CASE("a tag or folder that several others have is told once") {
  auto host = docker_host();
  host.files = {{"/1/a", folder()}, {"/2/a", folder()}, {"/3/a", folder()}};
  const auto twice = [](int number) {
    const auto source = share_variable(number, "SOURCE");
    const auto target = share_variable(number, "TARGET");
    return Problem{target + "='a': filesystem target 'a' specified twice (also by filesystem #1)",
                   source + " (environment)",
                   "set " + target + " (by default the source's last component)"};
  };
  const Strings sources = {"FILESYSTEM_SOURCE=/1/a", "FILESYSTEM2_SOURCE=/2/a",
                           "FILESYSTEM3_SOURCE=/3/a"};
  CHECK(judge(sources, host) == Verdict{{twice(2), twice(3)}, {}});
  auto with_mount = sources;
  with_mount.emplace_back("FILESYSTEM2_TARGET=b");
  with_mount.emplace_back("FILESYSTEM2_MOUNT=/srv");
  with_mount.emplace_back("FILESYSTEM3_MOUNT=/srv");
  CHECK(judge(with_mount, host) ==
        Verdict{{twice(3),
                 {"FILESYSTEM3_MOUNT='/srv': '/srv' is already the mount folder of filesystem #2",
                  "FILESYSTEM3_MOUNT (environment)", "choose another folder or tag"}},
                {}});
}

TEST_CASE("two shares with one mount folder") {
  auto host = docker_host();
  host.files = {{"/a", folder()}, {"/b", folder()}};
  CHECK(
      judge({"FILESYSTEM_SOURCE=/a", "FILESYSTEM2_SOURCE=/b", "FILESYSTEM2_MOUNT=/mnt/a/"}, host) ==
      Verdict{{{"FILESYSTEM2_MOUNT='/mnt/a/': '/mnt/a' is already the mount folder of "
                "filesystem #1",
                "FILESYSTEM2_MOUNT (environment)", "choose another folder or tag"}},
              {}});
}

TEST_CASE("a derived tag that is another share's mount folder blames the source") {
  auto host = docker_host();
  host.files = {{"/a", folder()}, {"/b", folder()}};
  CHECK(judge({"FILESYSTEM_SOURCE=/a", "FILESYSTEM_MOUNT=/mnt/b", "FILESYSTEM2_SOURCE=/b"}, host) ==
        Verdict{{{"FILESYSTEM2_TARGET='b': '/mnt/b' is already the mount folder of filesystem #1",
                  "FILESYSTEM2_SOURCE (environment)",
                  "set FILESYSTEM2_TARGET (by default the source's last component)"}},
                {}});
}

}  // namespace
}  // namespace vmr::test
