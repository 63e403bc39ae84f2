// SPDX-License-Identifier: MIT
// What a process finds out that it may do, whatever it has inherited.
#include "host/abilities.hpp"

#include "support/processes.hpp"

#include <doctest/doctest.h>
#include <seccomp.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>

namespace vmr::test {
namespace {

using Scope = AbilitiesProbe::Scope;

/// A letter for each thing that is allowed.
std::string letters(const AbleTo& able) {
  const auto& can = able.abilities;
  std::string letters;
  for (const auto& [letter, is_allowed] :
       {std::pair{'s', can.sys_admin}, std::pair{'u', can.unshare_fs}, std::pair{'c', can.chroot},
        std::pair{'n', can.user_namespace}, std::pair{'d', can.dac_read_search},
        std::pair{'o', able.become_other_user}}) {
    if (is_allowed) letters += letter;
  }
  return letters;
}

/// Whether the probe finds `expected` in a process that has done `before`.
bool finds(const std::string& expected, const std::function<bool()>& before) {
  const auto pid = fork_and_run([&] {
    if (!before()) return 2;
    return letters(AbilitiesProbe(Scope::all).wait()) == expected ? 0 : 1;
  });
  return wait_for(pid) == 0;
}

/// Has the kernel kill whoever makes this system call from now on.
bool kill_for(int call) {
  const auto filter = ::seccomp_init(SCMP_ACT_ALLOW);
  const bool is_loaded = ::seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0) == 0 &&
                         ::seccomp_load(filter) == 0;
  ::seccomp_release(filter);
  return is_loaded;
}

TEST_CASE("abilities: an ignored SIGCHLD, which throws exit statuses away, changes nothing") {
  const auto all = letters(AbilitiesProbe(Scope::all).wait());
  CHECK(finds(all, [] { return ::signal(SIGCHLD, SIG_IGN) != SIG_ERR; }));
}

TEST_CASE("abilities: a seccomp profile that kills takes only what it kills for") {
  const auto all = letters(AbilitiesProbe(Scope::all).wait());
  for (const auto& [letter, call] :
       {std::pair{'c', SCMP_SYS(chroot)}, std::pair{'d', SCMP_SYS(open_by_handle_at)},
        std::pair{'o', SCMP_SYS(setgroups)}}) {
    CAPTURE(letter);
    auto expected = all;
    std::erase(expected, letter);
    CHECK(finds(expected, [call = call] { return kill_for(call); }));
  }
}

TEST_CASE("abilities: what was not asked for was not tried") {
  CHECK(AbilitiesProbe(Scope::users).wait().abilities == Abilities{});
}

}  // namespace
}  // namespace vmr::test
