// SPDX-License-Identifier: MIT
// The doors that a QEMU or virtiofsd that was taken over finds closed, as docs/security.md tells.
#include "support/doors.hpp"

#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/observed_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <grp.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// A start of the launcher with fakes that try every door.
Finished try_doors(const Launcher::Variables& more, bool is_root) {
  const FakeHost host;
  auto settings =
      join(FakeHost::virtiofs_share(1, host / "one"), {{"QEMU_USER", ""},
                                                       {"LOG_VERBOSE", "1"},
                                                       {"FAKE_QEMU", "poweroff,hostile-calls"},
                                                       {"FAKE_VIRTIOFSD", "hostile-calls"}});
  StartDetails details;
  if (!is_root) {
    // What is not its own, or open to others, it would pass over.
    constexpr uid_t nobody = 65534;
    REQUIRE(::chown((host / ".").c_str(), nobody, nobody) == 0);
    for (const auto& entry : fs::recursive_directory_iterator(host / ".")) {
      REQUIRE(::lchown(entry.path().c_str(), nobody, nobody) == 0);
    }
    details.before_exec = [] {
      if (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(98);
    };
  }
  auto seen = host.run(join(settings, more), details);
  INFO(seen.log);
  CHECK(seen.status == 0);
  return seen;
}

TEST_CASE("the doors that an escaped guest finds are closed as documented") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: only root can become another user");
    return;
  }
  std::vector<std::pair<std::string, ObservedColumn>> columns;
  for (const bool is_root : {true, false}) {
    const auto seen = try_doors({}, is_root);
    auto column = doors_column("QEMU", "qemu", seen);
    if (is_root) {
      const auto ninep = doors_column(
          "QEMU with a share of 9p `passthrough`", "qemu",
          try_doors({{"FILESYSTEM_DRIVER", "9p"}, {"FILESYSTEM_SANDBOX", ""}}, is_root));
      column.insert(column.end(), ninep.begin(), ninep.end());
    }
    const auto helper = doors_column("virtiofsd", "virtiofsd-1", seen);
    column.insert(column.end(), helper.begin(), helper.end());
    columns.emplace_back(is_root ? "root" : "ordinary user", std::move(column));
  }
  check_observed_table("security.md", "doors", columns);
}

}  // namespace
}  // namespace vmr::test
