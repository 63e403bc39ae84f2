// SPDX-License-Identifier: MIT
// More shares than a PCI bus has slots.
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

using namespace vmr::test;

TEST_CASE("32 shares of both kinds are mounted and proved in one guest") {
  constexpr int count = 32;
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
  const auto seen =
      boot(variables, "for folder in /mnt/*; do cp $folder/number $folder/copy; done\n");
  CHECK_MESSAGE(seen.status == 0, seen.console);
  CHECK(seen.log_with("mounted in the guest") == mounted);
  CHECK(seen.log_with("[WARN]") == std::vector<std::string>{});
  CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
  for (int number = 1; number <= count; ++number) {
    CHECK(read_file(host / fmt::format("s{}/copy", number)) == std::to_string(number));
  }
}
