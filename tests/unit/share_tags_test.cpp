// SPDX-License-Identifier: MIT
#include "spec/shares.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST_CASE("a tag that mount would look up as the label of a disk is refused") {
  for (const std::string tag : {"LABEL=x", "UUID=1-2", "PARTLABEL=", "PARTUUID=y", "ID=z"}) {
    CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_TARGET=" + tag}, docker_host()) ==
          Verdict{{{"FILESYSTEM_TARGET='" + tag +
                        "': the guest's mount would take it for the label of a disk",
                    "FILESYSTEM_TARGET (environment)", "choose another tag"}},
                  {}});
  }
  CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_TARGET=XLABEL=x"}, docker_host()) ==
        Verdict{});
}

TEST_CASE("the length of a tag is counted in bytes") {
  const std::string a_circumflex = "\xc3\xa2";
  struct Row {
    std::string driver;
    std::string tag;
    std::string reason;  // empty: it fits
  };
  const std::vector<Row> rows = {
      {"9p", times(31, "t"), ""},
      {"9p", times(15, a_circumflex) + "t", ""},
      {"9p", times(32, "t"), "the tag is 32 bytes, 9p takes at most 31"},
      {"9p", times(16, a_circumflex), "the tag is 32 bytes, 9p takes at most 31"},
      {"virtiofs", times(36, "t"), ""},
      {"virtiofs", times(18, a_circumflex), ""},
      {"virtiofs", times(37, "t"), "the tag is 37 bytes, virtiofs takes at most 36"},
      {"virtiofs", times(18, a_circumflex) + "t", "the tag is 37 bytes, virtiofs takes at most 36"},
      {"virtiofs", times(5000, "t"), "the tag is 5000 bytes, virtiofs takes at most 36"}};
  for (const auto& row : rows) {
    Verdict expected;
    if (!row.reason.empty()) {
      expected.problems = {{"FILESYSTEM_TARGET='" + row.tag + "': " + row.reason,
                            "FILESYSTEM_TARGET (environment)", "choose another tag"}};
    }
    CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=" + row.driver,
                 "FILESYSTEM_TARGET=" + row.tag},
                docker_host()) == expected);
  }
}

TEST_CASE("a tag that is no folder name is refused unless a mount folder is given") {
  for (const std::string tag : {"a/b", ".", "..", "/"}) {
    const Strings settings = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_TARGET=" + tag};
    CHECK(judge(settings, docker_host()) ==
          Verdict{{{"FILESYSTEM_TARGET='" + tag + "': '/mnt/" + tag +
                        "' is not a folder directly below /mnt",
                    "FILESYSTEM_TARGET (environment)", "choose another tag"}},
                  {}});
    auto with_mount = settings;
    with_mount.emplace_back("FILESYSTEM_MOUNT=/mnt/x");
    CHECK(judge(with_mount, docker_host()) == Verdict{});
  }
  CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_TARGET=a\nb"}, docker_host()) ==
        Verdict{{{"FILESYSTEM_TARGET='a\nb': a tag cannot have control characters",
                  "FILESYSTEM_TARGET (environment)", "choose another tag"}},
                {}});
}

TEST_CASE("a tag taken from the source blames the source") {
  auto host = docker_host();
  const auto name = times(40, "n");
  host.files = {{"/" + name, folder()}, {"/a\tb", folder()}, {"/x/..", folder()}, {"/", folder()}};
  const std::string origin = "FILESYSTEM_SOURCE (environment)";
  const std::string hint = "set FILESYSTEM_TARGET (by default the source's last component)";
  CHECK(
      judge({"FILESYSTEM_SOURCE=/" + name}, host) ==
      Verdict{{{"FILESYSTEM_TARGET='" + name + "': the tag is 40 bytes, virtiofs takes at most 36",
                origin, hint}},
              {}});
  CHECK(judge({"FILESYSTEM_SOURCE=/a\tb"}, host) ==
        Verdict{{{"FILESYSTEM_TARGET='a\tb': a tag cannot have control characters", origin, hint}},
                {}});
  CHECK(judge({"FILESYSTEM_SOURCE=/x/.."}, host) ==
        Verdict{{{"FILESYSTEM_TARGET='..': '/mnt/..' is not a folder directly below /mnt", origin,
                  hint}},
                {}});
}

TEST_CASE("of a share of everything only the source is refused") {
  for (const std::string source : {"/", "//", "/."}) {
    for (const std::string more : {"FILESYSTEM_TARGET=", "FILESYSTEM_MOUNT=/srv/all",
                                   "FILESYSTEM_DRIVER=9p", "FILESYSTEM_READONLY=1"}) {
      CAPTURE(source);
      CAPTURE(more);
      CHECK(judge({"FILESYSTEM_SOURCE=" + source, more}, docker_host()) ==
            Verdict{{{"FILESYSTEM_SOURCE='" + source + "': the whole file system is not shared",
                      "FILESYSTEM_SOURCE (environment)", "share a folder below it"}},
                    {}});
    }
  }
  CHECK(judge({"FILESYSTEM_SOURCE=/", "FILESYSTEM_TARGET=a\tb"}, docker_host()).problems.size() ==
        2);
}

}  // namespace
}  // namespace vmr::test
