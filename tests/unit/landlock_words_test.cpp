// SPDX-License-Identifier: MIT
#include "plan/landlock_words.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace vmr::test {
namespace {

LaunchPlan plan_of(const Strings& environment, const Host& host) {
  return make_plan(spec_of(environment, host), host);
}

Confinement of_qemu(const Strings& environment) {
  return plan_of(environment, docker_host()).attempts.front().process.confinement;
}

TEST_CASE("QEMU listens at the forwarded port and virtiofsd at none") {
  using Ports = std::vector<std::uint16_t>;
  CHECK(of_qemu({"SSH_PORT=2299"}).tcp_ports == Ports{2299});
  CHECK(of_qemu({"SSH_PORT=0"}).tcp_ports == Ports{});
  const auto plan = plan_of({"FILESYSTEM_SOURCE=/share"}, docker_host());
  CHECK(plan.shares.front().helper->confinement.tcp_ports == Ports{});
}

TEST_CASE("what Landlock holds follows from the plan and the version of the kernel") {
  const auto host_of_version = [](int version) {
    auto host = docker_host();
    host.landlock = version;
    return host;
  };
  const auto held = of_qemu({});
  CHECK(landlock_holds(held, 0) == Strings{});
  CHECK(landlock_holds(held, 2) == Strings{"files"});
  CHECK(landlock_holds(held, 3) == Strings{"files", "truncate"});
  CHECK(landlock_holds(held, 4) == Strings{"files", "truncate", "tcp"});
  CHECK(landlock_holds(held, 5) == Strings{"files", "truncate", "tcp", "ioctl"});
  CHECK(landlock_holds(held, 6) == Strings{"files", "truncate", "tcp", "ioctl", "scope"});
  CHECK(landlock_holds(held, 99) == landlock_holds(held, 6));
  CHECK(landlock_holds(Confinement{}, 6) == Strings{});
  const auto line = [&](const Strings& environment, int version) {
    return describe_landlock(plan_of(environment, host_of_version(version)));
  };
  CHECK(line({}, 6) ==
        "Landlock (version 6) holds, of qemu: which files are opened, made and removed; which are "
        "cut off; which TCP ports are listened at; which devices are given commands; abstract "
        "sockets and signals to others");
  CHECK(line({"EXTRA_ARGS=-pflash x", "FILESYSTEM_SOURCE=/share"}, 4) ==
        "Landlock (version 4) holds, of virtiofsd-1: which files are opened, made and removed; "
        "which are cut off; which TCP ports are listened at; but not: which devices are given "
        "commands (version 5); abstract sockets and signals to others (version 6); and nothing of "
        "qemu");
  CHECK(line({}, 0) == "Landlock does not hold qemu");
  CHECK(line({"QEMU_USER=launcher", "FILESYSTEM_SOURCE=/share"}, 6) ==
        "Landlock does not hold qemu, virtiofsd-1");
}

}  // namespace
}  // namespace vmr::test
