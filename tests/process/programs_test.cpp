// SPDX-License-Identifier: MIT
#include "host/programs.hpp"

#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"
#include "support/variable.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// A virtiofsd that is described in the user's own configuration, before all others.
class DescribedVirtiofsd {
 public:
  DescribedVirtiofsd() {
    fs::create_directories(descriptions_);
    write_text(descriptions_ + "/00-ours.json", R"({"type": "fs", "binary": ")" + path + R"("})");
  }

  /// Makes it a program that runs this shell script.
  void make(const std::string& script) const {
    write_text(path, "#!/bin/sh\n" + script);
    fs::permissions(path, fs::perms::owner_all);
  }

  /// Puts a file of this name beside its description.
  void describe(const std::string& name, const std::string& text) const {
    write_text(descriptions_ + "/" + name, text);
  }

 private:
  TemporaryFolder folder_;
  std::string descriptions_ = folder_ / "qemu/vhost-user";
  Variable config_home_{"XDG_CONFIG_HOME", folder_.path()};

 public:
  const std::string path = folder_ / "a, 'virtiofsd'";
};

TEST_CASE("a described virtiofsd that is not there or not executable") {
  const DescribedVirtiofsd virtiofsd;
  for (const bool there : {false, true}) {
    if (there) write_text(virtiofsd.path, "");
    std::string problem;
    CHECK(find_virtiofsd("/nonexistent", problem) == std::nullopt);
    CHECK(problem == "virtiofsd binary '" + virtiofsd.path + "' is not executable");
  }
}

TEST_CASE("a virtiofsd that does not answer") {
  const DescribedVirtiofsd virtiofsd;
  virtiofsd.make("exit 1\n");
  std::string problem;
  CHECK(find_virtiofsd("/nonexistent", problem) == std::nullopt);
  CHECK(problem ==
        "virtiofsd binary '" + virtiofsd.path + "' does not answer --print-capabilities");
}

TEST_CASE("the families are told apart by what they answer") {
  using Family = VirtiofsdFacts::Family;
  const DescribedVirtiofsd virtiofsd;
  std::string problem;
  virtiofsd.make("echo '{\"type\": \"fs\"}'\n");
  CHECK(find_virtiofsd("/nonexistent", problem) ==
        VirtiofsdFacts{virtiofsd.path, Family::c, false, false, false});
  virtiofsd.make(
      "case $1 in --help) echo '-o announce_submounts  Announce sub-mount points';; *) echo "
      "'{\"type\": \"fs\"}';; esac\n");
  CHECK(find_virtiofsd("/nonexistent", problem) ==
        VirtiofsdFacts{virtiofsd.path, Family::c, false, false, false, false, false, true});
  virtiofsd.make("echo '{\"type\": \"fs\", \"features\": []}'\n");
  CHECK(find_virtiofsd("/nonexistent", problem) ==
        VirtiofsdFacts{virtiofsd.path, Family::rust, false, true, false});
  virtiofsd.make(
      "case $1 in --help) echo '--readonly --inode-file-handles=<x> --modcaps --killpriv-v2';; *) "
      "echo "
      "'{\"features\": [\"separate-options\"]}';; esac\n");
  CHECK(find_virtiofsd("/nonexistent", problem) ==
        VirtiofsdFacts{virtiofsd.path, Family::rust, true, true, true, false, true, false, true});
  CHECK(problem.empty());
}

TEST_CASE("the first description of a file system in the order of the names is taken") {
  const DescribedVirtiofsd virtiofsd;
  virtiofsd.make("echo '{\"features\": []}'\n");
  virtiofsd.describe("00-a.json", "");
  virtiofsd.describe("00-b.json", R"({"type": "gpu", "binary": "/nonexistent"})");
  virtiofsd.describe("00-c.json", "{ broken");
  virtiofsd.describe("00-d.txt", R"({"type": "fs", "binary": "/nonexistent"})");
  virtiofsd.describe("00-p.json", R"({"type": "fs", "binary": "/nonexistent"})");
  std::string problem;
  const auto facts = find_virtiofsd("/nonexistent", problem);
  REQUIRE(facts);
  CHECK(facts->path == virtiofsd.path);
}

TEST_CASE("only a whole path is taken from a description") {
  CHECK(described_program(R"({"binary": "/usr/libexec/virtiofsd", "type": "fs"})") ==
        "/usr/libexec/virtiofsd");
  for (const auto* text :
       {R"({"binary": "virtiofsd", "type": "fs"})", R"({"binary": "", "type": "fs"})",
        R"({"binary": "/a\u0000b", "type": "fs"})", R"({"binary": 1, "type": "fs"})",
        R"({"binary": "/a", "type": ["fs"]})", "[]", ""}) {
    CAPTURE(text);
    CHECK(described_program(text).empty());
  }
}

TEST_CASE("programs are looked for in the absolute folders of PATH") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a/tool");
  fs::create_directories(folder / "b");
  fs::create_directories(folder / "c");
  for (const std::string name : {"b/tool", "c/tool"}) write_text(folder / name, "");
  fs::permissions(folder / "c/tool", fs::perms::owner_all);
  const Variable path("PATH",
                      "::b:" + (folder / "a") + ":" + (folder / "b") + ":" + (folder / "c"));
  CHECK(find_in_path("tool") == folder / "c/tool");
  CHECK(find_in_path("no-such-tool") == "");
}

}  // namespace
}  // namespace vmr::test
