// SPDX-License-Identifier: MIT
// More shares than a PCI bus has slots.
#include "spec/vm_spec.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

using namespace vmr::test;

namespace {

/// Boots one guest with `count` shares of both kinds, and checks that each is there.
void check_many(int count) {
  const TemporaryFolder host;
  Launcher::Variables variables;
  std::vector<std::string> mounted;
  for (int number = 1; number <= count; ++number) {
    const auto name = fmt::format("s{}", number);
    std::filesystem::create_directory(host / name);
    write_text(host / name + "/number", std::to_string(number));
    variables = join(variables, share(number, {{"SOURCE", host / name},
                                               {"DRIVER", number % 2 == 0 ? "9p" : "virtiofs"}}));
    mounted.push_back(
        fmt::format("[INFO] Filesystem #{0}: mounted in the guest at /mnt/s{0}", number));
  }
  const auto seen = boot(join(variables, {{"MEMORY", "512"}}),
                         "for folder in /mnt/*; do cp $folder/number $folder/copy; done\n");
  CHECK_MESSAGE(seen.status == 0, seen.console);
  CHECK(seen.log_with("mounted in the guest") == mounted);
  CHECK(seen.log_with("[WARN]") == std::vector<std::string>{});
  CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
  for (int number = 1; number <= count; ++number) {
    CHECK(read_file(host / fmt::format("s{}/copy", number)) == std::to_string(number));
  }
}

}  // namespace

TEST_CASE("32 shares of both kinds are mounted and proved in one guest") {
  check_many(32);
}

TEST_CASE("as many shares as a machine takes are mounted and proved with one processor") {
  check_many(static_cast<int>(vmr::most_shares));
}
