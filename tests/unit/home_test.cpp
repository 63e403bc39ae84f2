// SPDX-License-Identifier: MIT
#include "host/probe.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <pwd.h>
#include <string>
#include <unistd.h>

namespace vmr::test {
namespace {

/// What the user `uid` has for a home with that HOME; null: unset.
std::string home_of(uid_t uid, const char* variable) {
  const Pipe pipe;
  const auto pid = fork_and_run([&] {
    if (variable == nullptr) ::unsetenv("HOME");
    if (variable != nullptr) ::setenv("HOME", variable, 1);
    if (uid != ::geteuid() && ::setuid(uid) != 0) return 1;
    const auto home = find_home();
    return ::write(pipe.writing.get(), home.data(), home.size()) < 0 ? 1 : 0;
  });
  REQUIRE(wait_for(pid) == 0);
  std::string home(4096, '\0');
  const auto size = ::read(pipe.reading.get(), home.data(), home.size());
  REQUIRE(size > 0);
  home.resize(static_cast<std::size_t>(size));
  return home;
}

TEST_CASE("the home is what HOME says, or the password database") {
  const auto own = ::geteuid();
  const passwd* entry = ::getpwuid(own);
  REQUIRE(entry != nullptr);
  const std::string home = entry->pw_dir;
  CHECK(home_of(own, "/home/of a user") == "/home/of a user");
  CHECK(home_of(own, nullptr) == home);
  CHECK(home_of(own, "") == home);
  if (own != 0) return;  // the rest needs other users
  const passwd* nobody = ::getpwnam("nobody");
  REQUIRE(nobody != nullptr);
  CHECK(home_of(nobody->pw_uid, nullptr) == nobody->pw_dir);
  CHECK(home_of(1234567, nullptr) == "/");
}

}  // namespace
}  // namespace vmr::test
