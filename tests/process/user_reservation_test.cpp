// SPDX-License-Identifier: MIT
#include "run/user_reservation.hpp"

#include "base/error.hpp"
#include "base/own_user.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("QEMU's own user is never two VMs' and is free again when its VM has ended") {
  const TemporaryFolder parent;
  const auto directory = parent / "vm-runner";
  {
    const UserReservation first(directory, last_own_user);
    std::optional<UserReservation> second(std::in_place, directory, last_own_user);
    const UserReservation third(directory, last_own_user);
    std::set<std::uint32_t> numbers = {first.number(), second->number(), third.number()};
    CHECK(numbers.size() == 3);
    for (const auto number : numbers) {
      CHECK(number >= first_own_user);
      CHECK(number <= last_own_user);
    }
    const auto freed = second->number();
    second.reset();
    CHECK(UserReservation(directory, freed).number() == freed);
  }
  CHECK_FALSE(fs::exists(directory));
}

TEST_CASE("what a killed launcher left holds no user") {
  const TemporaryFolder parent;
  const auto directory = parent / "vm-runner";
  std::uint32_t number = 0;
  {
    const UserReservation reservation(directory, first_own_user + 7);
    number = reservation.number();
    fs::copy(directory + "/.users", parent / "kept");
  }
  fs::create_directory(directory);
  fs::rename(parent / "kept", directory + "/.users");
  fs::permissions(directory + "/.users", fs::perms::owner_all);
  CHECK(UserReservation(directory, number).number() == number);
}

TEST_CASE("a folder of numbers that others may write to, or a link, is refused") {
  const TemporaryFolder parent;
  const auto directory = parent / "vm-runner";
  const auto why = [&]() -> std::string {
    try {
      const UserReservation reservation(directory, first_own_user);
    } catch (const Error& error) {
      return std::string(error.what()) + ": " + error.cause;
    }
    return "taken";
  };
  fs::create_directories(directory + "/.users");
  REQUIRE(::chmod((directory + "/.users").c_str(), 0777) == 0);
  const auto refusal = "no user can be reserved for QEMU in " + directory + "/.users: ";
  CHECK(why() == refusal + "it is not a folder of user " + std::to_string(::geteuid()) + " alone");
  fs::remove(directory + "/.users");
  fs::create_directory_symlink("/tmp", directory + "/.users");
  CHECK(why() == refusal + "Not a directory");
}

}  // namespace
}  // namespace vmr::test
