// SPDX-License-Identifier: MIT
#include "spec/shared_memory.hpp"

#include "config/load.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

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
