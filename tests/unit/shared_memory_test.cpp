// SPDX-License-Identifier: MIT
#include "spec/shared_memory.hpp"

#include "config/load.hpp"
#include "plan/launch_plan.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vmr::test {
namespace {

OwnMemory memory_of(const std::string& arguments) {
  return spec_of({"EXTRA_ARGS=" + arguments}, docker_host()).own_memory;
}

LaunchPlan plan_with(const std::string& arguments) {
  return make_plan(spec_of({"EXTRA_ARGS=" + arguments, "ACCEL=tcg"}, docker_host()), docker_host());
}

const std::string hint = "share it (share=on) in its -object, or leave memory-backend out";

Verdict judge_extra(const std::string& arguments, const std::string& driver = "virtiofs") {
  return judge(
      {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=" + driver, "EXTRA_ARGS=" + arguments},
      docker_host());
}

Verdict refused(const std::string& backend) {
  return {{{"EXTRA_ARGS: 'virtiofs' requires shared memory, and the memory backend '" + backend +
                "' is not shared",
            "EXTRA_ARGS (environment)", hint}},
          {}};
}

TEST_CASE("a memory backend of the user that is not shared") {
  const std::string machine = " -machine memory-backend=mine";
  CHECK(judge_extra("-object memory-backend-ram,id=mine,size=4096M" + machine) == refused("mine"));
  CHECK(judge_extra("-object qom-type=memory-backend-ram,id=mine" + machine) == refused("mine"));
  CHECK(judge_extra("--object memory-backend-file,size=4G,mem-path=/x,id=mine -M "
                    "pc,memory-backend=mine") == refused("mine"));
  CHECK(judge_extra("-object memory-backend-memfd,id=mine,size=4G,share=off" + machine) ==
        refused("mine"));
  CHECK(judge_extra(R"(-object '{"qom-type":"memory-backend-ram","id":"mine","size":64}')" +
                    machine) == refused("mine"));
  CHECK(judge_extra(R"(-object '{ "id": "mine", "share": false, "host-nodes": [0],
                    "qom-type": "memory-backend-memfd" }')" +
                    machine) == refused("mine"));
  CHECK(judge_extra("-object 'memory-backend-file,mem-path=/a,,share=on,id=mine'" + machine) ==
        refused("mine"));
}

TEST_CASE("memory that is shared or that QEMU judges itself") {
  const Strings harmless = {
      "-object memory-backend-ram,id=mine,size=4096M",
      "-machine memory-backend=mine",
      "-machine hpet=off -device virtio-balloon-pci",
      "-object memory-backend-file,id=mine,share=on,mem-path=/x -machine memory-backend=mine",
      "-object memory-backend-ram,share=yes,id=mine -machine memory-backend=mine",
      "-object memory-backend-memfd,id=mine,size=4G -machine memory-backend=mine",
      "-object memory-backend-ram,id=other -machine memory-backend=mine",
      "-object memory-backend-ram,id=mine -machine memory-backend=mine "
      "-machine memory-backend=memory",
      R"(-object '{"qom-type":"memory-backend-ram","id":"m","share":true}' -M memory-backend=m)",
      R"(-object '{"qom-type":"memory-backend-ram","id":"m"' -M memory-backend=m)",
      R"(-object '{"id":"m"}' -M memory-backend=m)",
      "-object memory-backend-ram,size=4G",
      "-object",
      "-machine",
      "memory-backend=mine"};
  for (const auto& arguments : harmless) CHECK(judge_extra(arguments) == Verdict{});
}

TEST_CASE("memory of the guest's NUMA nodes counts as chosen") {
  const std::string object = "-object memory-backend-ram,id=mine,size=4096M";
  CHECK(judge_extra(object + " -numa node,memdev=mine") == refused("mine"));
  CHECK(judge_extra(object + ",share=on -numa node,memdev=mine") == Verdict{});
  CHECK(judge_extra("-object memory-backend-memfd,id=a,size=2G -numa node,memdev=a,cpus=0 "
                    "-object memory-backend-ram,id=b,size=2G -numa node,memdev=b,cpus=1") ==
        refused("b"));
  CHECK(judge_extra("-numa node,cpus=0-1") == Verdict{});
}

TEST_CASE("memory-backend without a name takes the shared memory away") {
  CHECK(judge_extra("-machine memory-backend=") ==
        Verdict{{{"EXTRA_ARGS: 'virtiofs' requires shared memory, and 'memory-backend=' without a "
                  "name takes it away",
                  "EXTRA_ARGS (environment)", hint}},
                {}});
  CHECK(judge_extra("-machine memory-backend= -M memory-backend=memory") == Verdict{});
}

TEST_CASE("our memory stays out of the way of the user's own") {
  CHECK(memory_of("-device vmcoreinfo") == OwnMemory::none);
  CHECK(memory_of("-machine memory-backend=memory") == OwnMemory::none);
  CHECK(memory_of("-machine memory-backend=") == OwnMemory::not_shared);
  CHECK(memory_of("-object memory-backend-file,id=m,mem-path=/x,size=4096M,share=on -numa "
                  "node,memdev=m") == OwnMemory::shared);
  const auto plan = plan_with("-object memory-backend-ram,id=m,size=4096M -numa node,memdev=m");
  const auto& argv = plan.attempts.front().process.argv;
  CHECK(std::find(argv.begin(), argv.end(), "q35,usb=off") != argv.end());
  CHECK(plan.hotplug_ports.empty());
}

TEST_CASE("memory of another size than MEMORY is refused with both") {
  const Strings settings = {"MEMORY=1G",
                            "EXTRA_ARGS=-object memory-backend-ram,id=a,size=256M -object "
                            "memory-backend-ram,id=b,size=268435456 -numa node,memdev=a -numa "
                            "node,memdev=b",
                            "HOTPLUG_SHARES=0"};
  CHECK(judge(settings, docker_host()) ==
        Verdict{{{"EXTRA_ARGS: the guest's memory there has 512 MiB, and MEMORY is 1024 MiB",
                  "EXTRA_ARGS (environment)", "set MEMORY=512M, or make both the same"}},
                {}});
  auto same = settings;
  same[0] = "MEMORY=512M";
  CHECK(judge(same, docker_host()) == Verdict{});
}

TEST_CASE("a wish for added shares that private memory makes void is told") {
  const Strings settings = {
      "HOTPLUG_SHARES=2",
      "EXTRA_ARGS=-object memory-backend-ram,id=a,size=4096M -machine memory-backend=a"};
  CHECK(judge(settings, docker_host()) ==
        Verdict{{},
                {"the guest's memory is made by your own QEMU arguments and not shared: no share "
                 "can be added while the machine runs (HOTPLUG_SHARES); share=on in its -object "
                 "shares it"}});
}

TEST_CASE("9p needs no shared memory") {
  CHECK(judge_extra("-object memory-backend-ram,id=mine -machine memory-backend=mine", "9p") ==
        Verdict{});
}

TEST_CASE("a private backend is blamed on the arguments that make it") {
  const auto judge_both = [](const std::string& extra, const Strings& behind) {
    Arguments arguments;
    arguments.qemu_args = behind;
    const auto loaded =
        load_config(arguments, {"FILESYSTEM_SOURCE=/share", "EXTRA_ARGS=" + extra}, {});
    const auto resolved = resolve(loaded.config, docker_host());
    return Verdict{resolved.problems, resolved.warnings};
  };
  const Verdict behind_dashes = {
      {{"QEMU arguments: 'virtiofs' requires shared memory, and the memory backend 'mine' is not "
        "shared",
        "behind -- (command line)", hint}},
      {}};
  const Strings object = {"-object", "memory-backend-ram,id=mine"};
  const Strings machine = {"-machine", "memory-backend=mine"};
  const Strings both = {object[0], object[1], machine[0], machine[1]};
  CHECK(judge_both("", both) == behind_dashes);
  CHECK(judge_both("-device virtio-balloon-pci", both) == behind_dashes);
  CHECK(judge_both("-machine memory-backend=mine", object) == behind_dashes);
  CHECK(judge_both("-object memory-backend-ram,id=mine", machine) == refused("mine"));
}

}  // namespace
}  // namespace vmr::test
