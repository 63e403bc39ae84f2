// SPDX-License-Identifier: MIT
// The bill of materials of the machine that runs the tests, as the image gets its own.
#include "support/bom.hpp"

#include "build_paths.hpp"
#include "host/capture.hpp"
#include "support/temporary_folder.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

std::string made_bom(const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> words = {"/usr/bin/env", std::string("VM_RUNNER=") + VM_RUNNER,
                                    "SOURCE_DATE_EPOCH=0", SOURCE_FOLDER "/scripts/make-bom"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto made = vmr::capture(words);
  CHECK(made.errors == "");
  REQUIRE(made.ok);
  return made.output;
}

}  // namespace

TEST_CASE("bom: all packages of this system and their licences, the same each time") {
  if (!std::filesystem::exists("/usr/bin/dpkg-query")) {
    MESSAGE("SKIPPED: this is no Debian");
    return;
  }
  const auto bom = made_bom();
  check_bom(bom);
  const auto installed = vmr::capture(
      {"/usr/bin/dpkg-query", "--show", std::string("--showformat=") + installed_format});
  CHECK(listed_packages(bom) == installed_packages(installed.output));
  CHECK(made_bom() == bom);
  const auto document = boost::json::parse(bom).as_object();
  for (const auto& value : document.at("packages").as_array()) {
    const auto& package = value.as_object();
    if (package.at("name").as_string() != "dpkg") continue;
    const std::string licence(package.at("licenseDeclared").as_string());
    CHECK_MESSAGE(licence.find("GPL-2.0-or-later") != licence.npos, licence);
  }
}

TEST_CASE("bom: what is linked into vm-runner is told beside what is installed") {
  if (!std::filesystem::exists("/usr/bin/dpkg-query")) {
    MESSAGE("SKIPPED: this is no Debian");
    return;
  }
  const TemporaryFolder folder;
  const auto collected = vmr::capture({SOURCE_FOLDER "/scripts/make-bom", "--collect",
                                       folder / "linked", "/usr/include/CLI/CLI.hpp",
                                       "/usr/include/archive.h", "/usr/include/archive_entry.h"});
  REQUIRE_MESSAGE(collected.ok, collected.errors);
  const auto bom = made_bom({"--linked", folder / "linked"});
  check_bom(bom);
  CHECK(linked_packages(bom) == std::set<std::string>{"libarchive-dev", "libcli11-dev"});
  CHECK(listed_packages(bom) == listed_packages(made_bom()));
}
