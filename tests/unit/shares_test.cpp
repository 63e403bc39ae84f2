// SPDX-License-Identifier: MIT
#include "spec/shares.hpp"

#include "config/variables.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

constexpr auto unsupported = ExitStatus::host_unsupported;

TEST_CASE("a share of nothing but a source has every default") {
  Share share;
  share.number = 1;
  share.tag = "share";
  share.source = "/share";
  share.mount = "/mnt/share";
  share.driver = Driver::virtiofs;
  share.accessmode = AccessMode::passthrough;
  share.cache = CacheMode::automatic;
  share.sandbox = Sandbox::chroot;
  share.fmode = 0644;
  share.dmode = 0755;
  share.multidevs = Multidevs::remap;
  share.queue_size = 1024;
  share.thread_pool_size = 0;
  CHECK(spec_of({"FILESYSTEM_SOURCE=/share"}, docker_host()).shares == std::vector<Share>{share});
}

TEST_CASE("every setting of a share arrives") {
  Share virtiofs;
  virtiofs.number = 2;
  virtiofs.tag = "data";
  virtiofs.source = "/share";
  virtiofs.mount = "/srv/data";
  virtiofs.readonly = true;
  virtiofs.cache = CacheMode::metadata;
  virtiofs.sandbox = Sandbox::none;
  virtiofs.queue_size = 256;
  virtiofs.xattr = true;
  virtiofs.posix_acl = true;
  virtiofs.privileged_files = true;
  CHECK(
      spec_of({"FILESYSTEM2_SOURCE=/share/", "FILESYSTEM2_TARGET=data",
               "FILESYSTEM2_DRIVER=virtiofs", "FILESYSTEM2_ACCESSMODE=passthrough",
               "FILESYSTEM2_READONLY=1", "FILESYSTEM2_MOUNT=/srv//data/",
               "FILESYSTEM2_CACHE=metadata", "FILESYSTEM2_SANDBOX=none",
               "FILESYSTEM2_QUEUE_SIZE=256", "FILESYSTEM2_THREAD_POOL_SIZE=0",
               "FILESYSTEM2_XATTR=1", "FILESYSTEM2_POSIX_ACL=1", "FILESYSTEM2_PRIVILEGED_FILES=1"},
              docker_host())
          .shares == std::vector<Share>{virtiofs});

  Share ninep;
  ninep.number = 1;
  ninep.tag = "share";
  ninep.source = "/share";
  ninep.mount = "/mnt/share";
  ninep.driver = Driver::ninep;
  ninep.accessmode = AccessMode::mapped;
  ninep.cache = CacheMode::always;
  ninep.fmode = 0600;
  ninep.dmode = 0700;
  ninep.multidevs = Multidevs::forbid;
  ninep.wrpolicy = WritePolicy::immediate;
  CHECK(spec_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=mapped",
                 "FILESYSTEM_CACHE=always", "FILESYSTEM_FMODE=600", "FILESYSTEM_DMODE=0700",
                 "FILESYSTEM_MULTIDEVS=forbid", "FILESYSTEM_WRPOLICY=immediate"},
                docker_host())
            .shares == std::vector<Share>{ninep});
}

TEST_CASE("a thread pool needs unshare and then arrives") {
  const auto spec =
      spec_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_THREAD_POOL_SIZE=4"}, debian_12_host());
  CHECK(spec.shares.at(0).thread_pool_size == 4);
}

TEST_CASE("a source is made absolute from the home or the working folder") {
  auto host = docker_host();
  host.files = {{"/root/a", folder()}, {"/work/b/c", folder()}, {"/root", folder()}};
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"~/a", "/root/a"}, {"b/./c/", "/work/b/c"}, {"~", "/root"}};
  for (const auto& [source, expected] : rows) {
    const auto share = spec_of({"FILESYSTEM_SOURCE=" + source}, host).shares.at(0);
    CHECK(share.source == expected);
    CHECK(share.create_source == false);
  }
}

TEST_CASE("a missing source is made for a writable share only") {
  const auto host = docker_host();
  CHECK(spec_of({"FILESYSTEM_SOURCE=/new"}, host).shares.at(0).create_source);
  const std::string hint =
      "create it, or correct the path (a missing source is only made for a share that is not "
      "read-only)";
  CHECK(judge({"FILESYSTEM_SOURCE=/new", "FILESYSTEM_READONLY=1"}, host) ==
        Verdict{{{"FILESYSTEM_SOURCE='/new': the virtiofs export directory '/new' does not exist",
                  "FILESYSTEM_SOURCE (environment)", hint}},
                {}});
  CHECK(judge({"FILESYSTEM_SOURCE=new", "FILESYSTEM_READONLY=1", "FILESYSTEM_DRIVER=9p"}, host) ==
        Verdict{{{"FILESYSTEM_SOURCE='new': no such directory", "FILESYSTEM_SOURCE (environment)",
                  hint}},
                {}});
}

TEST_CASE("a source that cannot be shared") {
  auto host = docker_host();
  host.files = {{"/file", regular_file()},
                {"/dev/null", {FileFacts::Kind::other, true, false}},
                {"/secret", {FileFacts::Kind::directory, false, false}},
                {"/", folder()}};
  struct Row {
    std::string source;
    Problem problem;
  };
  const std::string origin = "FILESYSTEM_SOURCE (environment)";
  const std::vector<Row> rows = {
      {"/file",
       {"FILESYSTEM_SOURCE='/file': not a directory", origin, "share the folder that it is in"}},
      {"/dev/null",
       {"FILESYSTEM_SOURCE='/dev/null': not a directory", origin,
        "share the folder that it is in"}},
      {"/secret",
       {"FILESYSTEM_SOURCE='/secret': the directory cannot be read by this user", origin,
        "change its owner or mode, or run as its owner", unsupported}},
      {"//.",
       {"FILESYSTEM_SOURCE='//.': the whole file system is not shared", origin,
        "share a folder below it"}}};
  for (const auto& row : rows) {
    for (const std::string driver : {"virtiofs", "9p"}) {
      CHECK(judge({"FILESYSTEM_SOURCE=" + row.source, "FILESYSTEM_TARGET=t",
                   "FILESYSTEM_DRIVER=" + driver},
                  host) == Verdict{{row.problem}, {}});
    }
  }
}

TEST_CASE("a share without a source") {
  const auto missing = [](const std::string& origin) {
    return Problem{"FILESYSTEM3_SOURCE: missing source information for device", origin,
                   "set FILESYSTEM3_SOURCE to the folder to share"};
  };
  CHECK(judge({"FILESYSTEM3_TARGET=a"}, docker_host()) ==
        Verdict{{missing("FILESYSTEM3_TARGET (environment)")}, {}});
  CHECK(judge({"FILESYSTEM_SOURCE="}, docker_host()) == Verdict{});
  for (const std::string lines : {"", "target = 'a'\n"}) {
    CHECK(judge({}, docker_host(), "\n[[share]]\n" + lines) ==
          Verdict{{{"FILESYSTEM_SOURCE: missing source information for device",
                    "[[share]] (vm.toml:2)", "set FILESYSTEM_SOURCE to the folder to share"}},
                  {}});
  }
  CHECK(judge({"FILESYSTEM3_ACCESSMODE=squash"}, docker_host()) ==
        Verdict{{missing("FILESYSTEM3_ACCESSMODE (environment)"),
                 {"FILESYSTEM3_ACCESSMODE='squash': virtiofs only supports passthrough accessmode",
                  "FILESYSTEM3_ACCESSMODE (environment)",
                  "set FILESYSTEM3_DRIVER=9p for 'mapped' or 'squash', or use "
                  "FILESYSTEM3_ACCESSMODE=passthrough"}},
                {}});
}

TEST_CASE("sources are compared without their symbolic links") {
  auto host = docker_host();
  auto link = folder();
  link.real_path = "/a/b";
  host.files = {{"/a", folder()}, {"/link", link}, {"/a/b", folder()}};
  const std::string twice = ": the guest sees the same files twice";
  CHECK(judge({"FILESYSTEM_SOURCE=/a", "FILESYSTEM2_SOURCE=/link", "FILESYSTEM3_SOURCE=/a/b"},
              host) == Verdict{{},
                               {"Filesystem #2: '/link' is inside '/a' (filesystem #1)" + twice,
                                "Filesystem #3: '/a/b' is inside '/a' (filesystem #1)" + twice}});
  CHECK(judge({"FILESYSTEM_SOURCE=/link", "FILESYSTEM2_SOURCE=/a/b"}, host) ==
        Verdict{{},
                {"Filesystem #2: '/a/b' and '/link' (filesystem #1) are the same folder" + twice}});
  link.real_path = "/";
  host.files["/link"] = link;
  CHECK(judge({"FILESYSTEM_SOURCE=/link"}, host) ==
        Verdict{{{"FILESYSTEM_SOURCE='/link': the whole file system is not shared",
                  "FILESYSTEM_SOURCE (environment)", "share a folder below it"}},
                {}});
}

TEST_CASE("a missing source that cannot be made") {
  auto host = docker_host();
  FileFacts missing;
  missing.obstacle = "/: Read-only file system";
  host.files = {{"/new", missing}};
  CHECK(
      judge({"FILESYSTEM_SOURCE=/new"}, host) ==
      Verdict{{{"FILESYSTEM_SOURCE='/new': the directory is missing and cannot be made: /: "
                "Read-only file system",
                "FILESYSTEM_SOURCE (environment)", "correct the path, or create it", unsupported}},
              {}});
}

TEST_CASE("a writable share of a read-only mount is worth a warning") {
  auto host = docker_host();
  host.files["/share"].read_only_mount = true;
  const Verdict warned = {{},
                          {"Filesystem #1: the host has mounted '/share' read-only; set "
                           "FILESYSTEM_READONLY=1 to say so"}};
  for (const std::string driver : {"virtiofs", "9p"}) {
    const Strings settings = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=" + driver};
    CHECK(judge(settings, host) == warned);
    for (const std::string readonly : {"0", "1"}) {
      auto said = settings;
      said.push_back("FILESYSTEM_READONLY=" + readonly);
      CHECK(judge(said, host) == Verdict{});
    }
  }
}

TEST_CASE("more shares than a machine has room for") {
  Strings settings;
  for (int number = 1; number <= 120; ++number) {
    const auto variable = share_variable(number, "SOURCE");
    settings.push_back(variable + "=/s/" + std::to_string(number));
  }
  CHECK(judge(settings, ordinary_user()) == Verdict{});
  settings.emplace_back("FILESYSTEM999_SOURCE=/s/999");
  CHECK(judge(settings, ordinary_user()) ==
        Verdict{
            {{"FILESYSTEM999_SOURCE: there are 121 shares, and a VM takes at most 120",
              "FILESYSTEM999_SOURCE (environment)", "share a folder that several of them are in"}},
            {}});
}

TEST_CASE("sources inside one another are worth a warning") {
  auto host = docker_host();
  host.files = {{"/a", folder()}, {"/a/b", folder()}, {"/ab", folder()}};
  CHECK(
      judge({"FILESYSTEM_SOURCE=/a/b", "FILESYSTEM2_SOURCE=/a", "FILESYSTEM3_SOURCE=/ab"}, host) ==
      Verdict{
          {},
          {"Filesystem #2: '/a/b' (filesystem #1) is inside '/a': the guest sees the same files "
           "twice"}});
}

TEST_CASE("every problem of every share is reported at once in the order of the numbers") {
  auto host = docker_host();
  host.files = {{"/file", regular_file()}, {"/b", folder()}};
  CHECK(judge({"FILESYSTEM_SOURCE=/file", "FILESYSTEM_ACCESSMODE=mapped",
               "FILESYSTEM_WRPOLICY=immediate", "FILESYSTEM_QUEUE_SIZE=3", "FILESYSTEM7_SOURCE=/b",
               "FILESYSTEM7_TARGET=file", "FILESYSTEM7_DRIVER=9p", "FILESYSTEM7_FMODE=9",
               "FILESYSTEM7_XATTR=1"},
              host) ==
        Verdict{{{"FILESYSTEM7_FMODE='9': Invalid value for attribute 'fmode'",
                  "FILESYSTEM7_FMODE (environment)", "permission bits in octal, 0 to 0777"},
                 {"FILESYSTEM_SOURCE='/file': not a directory", "FILESYSTEM_SOURCE (environment)",
                  "share the folder that it is in"},
                 {"FILESYSTEM_ACCESSMODE='mapped': virtiofs only supports passthrough accessmode",
                  "FILESYSTEM_ACCESSMODE (environment)",
                  "set FILESYSTEM_DRIVER=9p for 'mapped' or 'squash', or use "
                  "FILESYSTEM_ACCESSMODE=passthrough"},
                 {"FILESYSTEM_WRPOLICY='immediate': virtiofs does not support wrpolicy",
                  "FILESYSTEM_WRPOLICY (environment)",
                  "leave it out, or use FILESYSTEM_DRIVER=9p without FILESYSTEM_QUEUE_SIZE"},
                 {"FILESYSTEM_QUEUE_SIZE='3': queue size must be a power of 2, 1024 or smaller",
                  "FILESYSTEM_QUEUE_SIZE (environment)", "use 1024"},
                 {"FILESYSTEM7_XATTR='1': xattr can only be used with driver=virtiofs",
                  "FILESYSTEM7_XATTR (environment)",
                  "leave it out, or use FILESYSTEM7_DRIVER=virtiofs"},
                 {"FILESYSTEM7_TARGET='file': filesystem target 'file' specified twice (also by "
                  "filesystem #1)",
                  "FILESYSTEM7_TARGET (environment)", "choose another tag"}},
                {}});
}

TEST_CASE("a problem of a file names its line") {
  CHECK(judge({}, docker_host(),
              "[[share]]\nsource = \"/share\"\ndriver = \"virtiofs\"\naccessmode = \"squash\"\n") ==
        Verdict{{{"FILESYSTEM_ACCESSMODE='squash': virtiofs only supports passthrough accessmode",
                  "accessmode (vm.toml:4)",
                  "set FILESYSTEM_DRIVER=9p for 'mapped' or 'squash', or use "
                  "FILESYSTEM_ACCESSMODE=passthrough"}},
                {}});
}

}  // namespace
}  // namespace vmr::test
