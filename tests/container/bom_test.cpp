// SPDX-License-Identifier: MIT
// That the image is built, and what is in it.
#include "support/bom.hpp"

#include "support/container.hpp"

#include <doctest/doctest.h>

using namespace vmr::test;

// Done by ctest before all others, in a process of its own.
TEST_CASE("the image is built" * doctest::skip()) {
  if (!has_docker()) return;
  CHECK_FALSE(built_image().empty());
}

TEST_CASE("no program in the image gives its caller another user or group") {
  if (!has_docker()) return;
  const auto found = run_docker({"run", "--rm", "--entrypoint", "find", built_image(), "/", "-xdev",
                                 "-type", "f", "-perm", "/6000"});
  REQUIRE_MESSAGE(found.ok, found.errors);
  CHECK(found.output.empty());
}

TEST_CASE("the bill of materials in the image names each of its packages, and no other") {
  if (!has_docker()) return;
  const auto print = [](const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<std::string> words = {"run", "--rm", "--entrypoint", program, built_image()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto printed = run_docker(words);
    REQUIRE_MESSAGE(printed.ok, printed.errors);
    return printed.output;
  };
  const auto bom = print("cat", {"/usr/share/vm-runner/sbom.spdx.json"});
  check_bom(bom);
  CHECK(listed_packages(bom) ==
        installed_packages(
            print("dpkg-query", {"--show", std::string("--showformat=") + installed_format})));
  CHECK(linked_packages(bom) ==
        std::set<std::string>{"libarchive-dev", "libboost-container1.83-dev",
                              "libboost-json1.83-dev", "libboost1.83-dev", "libcli11-dev",
                              "libcrypt-dev", "libfmt-dev", "libgcc-14-dev", "libpugixml-dev",
                              "libseccomp-dev", "libstdc++-14-dev", "libtomlplusplus-dev",
                              "libyaml-cpp-dev", "zlib1g-dev"});
}
