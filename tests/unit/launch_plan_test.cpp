// SPDX-License-Identifier: MIT
#include "plan/launch_plan.hpp"

#include "plan/confine_plan.hpp"
#include "plan/opened_paths.hpp"
#include "plan/plan_text.hpp"
#include "plan/qemu_plan.hpp"
#include "plan/seed.hpp"
#include "plan/share_plan.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a plan is made of its parts") {
  auto host = docker_host();
  const auto spec =
      spec_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM5_SOURCE=/new", "FILESYSTEM5_DRIVER=9p",
               "PERSIST=1", "GUEST_PASSWORD=x", "NO_CONSOLE=1"},
              host);
  LaunchPlan expected;
  expected.vm_name = "vm";
  expected.paths = {"/run/vm-runner/vm",
                    "/run/vm-runner/vm/seed.iso",
                    "/run/vm-runner/vm/qmp.sock",
                    "/run/vm-runner/vm/console.sock",
                    "/run/vm-runner/vm/reports.sock",
                    "/run/vm-runner/vm/agent.sock",
                    "/run/vm-runner/vm/control.sock"};
  expected.shares = {plan_share(spec.shares.at(0), 0, host, "/run/vm-runner/vm"),
                     plan_share(spec.shares.at(1), 1, host, "/run/vm-runner/vm")};
  expected.seed = make_seed(spec);
  expected.attempts = {
      plan_qemu(spec, Accelerator::kvm, host.qemu, expected.paths, expected.shares),
      plan_qemu(spec, Accelerator::tcg, host.qemu, expected.paths, expected.shares)};
  expected.shares.front().helper->confinement =
      confine_virtiofsd(spec.shares.at(0), spec.qemu_user, host);
  plan_opened_source(spec.shares.at(0), spec.qemu_user, host, "/run/vm-runner/vm",
                     *expected.shares.front().helper);
  for (auto& attempt : expected.attempts) {
    attempt.process.confinement = confine_qemu(spec, host, attempt, expected.paths);
    plan_opened(spec, host, expected.paths, expected.shares, attempt);
  }
  expected.create_folders = {"/new"};
  expected.persistent_disk = spec.disk;
  expected.ssh = spec.ssh;
  expected.start_timeout = 64s;
  expected.stop_timeout = 8s;
  expected.memory_mib = spec.memory_mib;
  expected.hotplug_ports = {"hotplug1", "hotplug2", "hotplug3", "hotplug4"};
  expected.console = false;
  expected.landlock = host.landlock;
  CHECK(make_plan(spec, host) == expected);
}

TEST_CASE("without cloud-init there is no seed") {
  const auto plan = make_plan(spec_of({"CLOUD_INIT=0"}, docker_host()), docker_host());
  CHECK(plan.seed == std::nullopt);
  CHECK(plan.paths.seed.empty());
  CHECK(plan.persistent_disk == std::nullopt);
  CHECK(plan.create_folders.empty());
}

TEST_CASE("a socket path always fits its address") {
  const auto spec = spec_of({"GUEST_NAME=" + std::string(63, 'n')}, docker_host());
  auto host = docker_host();
  host.short_runtime_folder = "/tmp/vm-runner-1000";
  // 107 bytes with "/" + 63 + "/virtiofsd-999.sock"
  host.runtime_folder = "/" + std::string(23, 'r');
  CHECK(make_plan(spec, host).paths.folder == host.runtime_folder + "/" + spec.name);
  host.runtime_folder += 'r';
  const auto paths = make_plan(spec, host).paths;
  CHECK(paths.folder == "/tmp/vm-runner-1000/" + spec.name);
  CHECK(paths.qmp == paths.folder + "/qmp.sock");
  CHECK((paths.folder + "/virtiofsd-999.sock").size() <= 107);
  host.short_runtime_folder = "/dev/shm/vm-runner-1000";
  CHECK(make_plan(spec, host).paths.folder == "/dev/shm/vm-runner-1000/" + spec.name);
}

TEST_CASE("the line about a share") {
  auto spec = spec_of({"FILESYSTEM_SOURCE=/share"}, docker_host());
  CHECK(describe(spec.shares.at(0)) ==
        "Filesystem #1: /share -> guest tag 'share' (read-write, driver=virtiofs, "
        "accessmode=passthrough, mount=/mnt/share)");
  spec =
      spec_of({"FILESYSTEM3_SOURCE=/share", "FILESYSTEM3_TARGET=a 'b'", "FILESYSTEM3_DRIVER=9p",
               "FILESYSTEM3_ACCESSMODE=squash", "FILESYSTEM3_READONLY=1", "FILESYSTEM3_MOUNT=/x"},
              docker_host());
  CHECK(describe(spec.shares.at(0)) ==
        "Filesystem #3: /share -> guest tag 'a 'b'' (read-only, driver=9p, accessmode=squash, "
        "mount=/x)");
}

TEST_CASE("a plan as lines has the helpers first and one argument a line") {
  LaunchPlan plan;
  plan.shares.resize(3);
  plan.shares.at(0).helper = ProcessPlan{"virtiofsd-1", {"/v", "a b", "two\nlines"}, {}};
  plan.shares.at(2).helper = ProcessPlan{"virtiofsd-3", {"/v"}, {}};
  QemuPlan qemu;
  qemu.groups = {{"extra", {"", "$(x)"}}};
  CHECK(as_lines(parts_of(plan, qemu), {}, "/q") ==
        "# virtiofsd-1\n/v\na b\ntwo\\nlines\n# virtiofsd-3\n/v\n# qemu\n/q\n\n$(x)\n");
  CHECK(as_lines({{"memory", 0, false, {"-m", "1"}}}, {{"memory: x", {"n"}, {"S"}}}, "") ==
        "# memory: x\n#   n\n#   S\n-m\n1\n");
}

}  // namespace
}  // namespace vmr::test
