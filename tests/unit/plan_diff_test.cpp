// SPDX-License-Identifier: MIT
#include "plan/plan_diff.hpp"

#include "config/load.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

/// What `environment` and a file with `toml` lead to.
struct Launch {
  GivenTexts given;
  LaunchPlan plan;

  Launch(const Strings& environment, const std::string& name, const std::string& toml) {
    const auto loaded = load_config({}, environment, {name, toml});
    REQUIRE(loaded.problems.empty());
    const auto resolved = resolve(loaded.config, docker_host());
    REQUIRE(resolved.problems.empty());
    given = loaded.given;
    plan = make_plan(resolved.spec, docker_host());
  }

  [[nodiscard]] ExplainedPlan explained() const { return {given, plan, plan.attempts.front()}; }
};

PlanDiff diff_of(const Strings& environment, const std::string& before, const std::string& after) {
  const Launch old_launch(environment, "old.toml", before);
  const Launch new_launch(environment, "new.toml", after);
  return diff(old_launch.explained(), new_launch.explained());
}

std::string text_of(const Strings& environment, const std::string& before,
                    const std::string& after) {
  return as_text(diff_of(environment, before, after));
}

TEST_CASE("the same settings change nothing, wherever they are from") {
  CHECK(text_of({"CPUS=2"}, "memory = 4096", "memory = 4096") == "Nothing changes.\n");
  CHECK(diff_of({"MEMORY=1G"}, "memory = 4096", "memory = 8192") == PlanDiff{});
}

TEST_CASE("an argument that changes is shown with the setting that did it") {
  CHECK(diff_of({"HOTPLUG_SHARES=0"}, "memory = 1024", "memory = '2G'\ncpu_model = 'max'") ==
        PlanDiff{{{"machine",
                   0,
                   {{"CPU_MODEL", "not set", "max (new.toml:2)"}},
                   {{false, {"-cpu", "host"}}, {true, {"-cpu", "max"}}}},
                  {"memory",
                   0,
                   {{"MEMORY", "1024 (old.toml:1)", "2G (new.toml:1)"}},
                   {{false, {"-m", "1024M"}}, {true, {"-m", "2048M"}}}}},
                 {},
                 {}});
}

TEST_CASE("a written out default is a changed setting, but no changed argument") {
  CHECK(text_of({}, "", "memory = 4096") ==
        "in no argument: in the seed, or for the launcher itself\n"
        "  MEMORY: 4096 (default) -> 4096 (new.toml:1)\n");
}

TEST_CASE("a share that comes brings its helper, its device and another seed") {
  CHECK(text_of({"HOTPLUG_SHARES=0"}, "", "stop_timeout = 20\n[[share]]\nsource = '/share'") ==
        "machine\n"
        "  FILESYSTEM_SOURCE: not set -> /share (new.toml:3)\n"
        "- -machine q35,usb=off\n"
        "+ -machine q35,usb=off,memory-backend=memory\n"
        "\n"
        "memory\n"
        "  FILESYSTEM_SOURCE: not set -> /share (new.toml:3)\n"
        "+ -object memory-backend-memfd,id=memory,size=4096M,share=on\n"
        "\n"
        "virtiofsd-1 (share #1)\n"
        "  FILESYSTEM_SOURCE: not set -> /share (new.toml:3)\n"
        "+ /usr/libexec/virtiofsd\n"
        "+ --fd=3\n"
        "+ --shared-dir /share\n"
        "+ --sandbox chroot\n"
        "+ --cache auto\n"
        "+ --inode-file-handles=never\n"
        "+ --killpriv-v2\n"
        "+ --modcaps=-setfcap\n"
        "+ --seccomp kill\n"
        "+ --thread-pool-size=0\n"
        "+ --rlimit-nofile=1000000\n"
        "\n"
        "shares (share #1)\n"
        "+ -chardev socket,id=share1,fd=7\n"
        "+ -device vhost-user-fs-pci,chardev=share1,tag=share,queue-size=1024,addr=0x10.0,"
        "multifunction=on\n"
        "\n"
        "in no argument: in the seed, or for the launcher itself\n"
        "  STOP_TIMEOUT: not set -> 20 (new.toml:1)\n"
        "\n"
        "other contents in the seed: vendor-data\n");
}

TEST_CASE("a share with another driver has other arguments under the same number") {
  const auto changes = diff_of({"FILESYSTEM_SOURCE=/share"}, "", "[[share]]\ndriver = '9p'");
  REQUIRE(changes.parts.size() == 2);
  CHECK(changes.parts[0].name == "virtiofsd-1");
  CHECK(changes.parts[0].settings ==
        std::vector<SettingChange>{{"FILESYSTEM_DRIVER", "virtiofs (default)", "9p (new.toml:2)"}});
  CHECK(changes.parts[1] ==
        PartChange{
            "shares",
            1,
            {{"FILESYSTEM_DRIVER", "virtiofs (default)", "9p (new.toml:2)"}},
            {{false, {"-chardev", "socket,id=share1,fd=7"}},
             {false,
              {"-device",
               "vhost-user-fs-pci,chardev=share1,tag=share,queue-size=1024,addr=0x10.0,"
               "multifunction=on"}},
             {true,
              {"-fsdev", "local,id=share1,path=/share,security_model=passthrough,multidevs=remap"}},
             {true,
              {"-device",
               "virtio-9p-pci,fsdev=share1,mount_tag=share,addr=0x10.0,multifunction=on"}}}});
}

TEST_CASE("another name of the VM is the cause of its other paths") {
  const auto changes = diff_of({"FILESYSTEM_SOURCE=/share"}, "", "guest_name = 'n2'");
  Strings parts;
  for (const auto& part : changes.parts) {
    parts.push_back(part.name);
    CHECK(part.settings ==
          std::vector<SettingChange>{{"GUEST_NAME", "vm (default)", "n2 (new.toml:1)"}});
  }
  // The sockets of virtiofsd are given to QEMU as they are opened.
  CHECK(parts == Strings{"base", "seed"});
}

TEST_CASE("only what is other is shown, and the order counts") {
  const auto changes =
      diff_of({}, "extra_args = '-a 1 -b 2 -c 3'", "extra_args = '-b 2 -a 1 -c 3 word'");
  // The sandbox changes too: nobody knows what the word is.
  REQUIRE(changes.parts.size() == 2);
  CHECK(changes.parts[1].arguments == std::vector<ArgumentChange>{{false, {"-a", "1"}},
                                                                  {true, {"-a", "1"}},
                                                                  {true, {"/work/word"}}});
}

TEST_CASE("a secret that changes is not shown, and hostile values stay on their line") {
  const auto text = text_of({}, "guest_password = 'hunter2'",
                            "guest_password = 'hunter3'\nextra_args = ['a\\n- -m 1']");
  CHECK(text.find("hunter") == text.npos);
  CHECK(text ==
        "sandbox\n"
        "  EXTRA_ARGS: not set -> ''\\''a\\n- -m 1'\\''' (new.toml:2)\n"
        "- -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny\n"
        "+ -sandbox on,obsolete=deny\n"
        "\n"
        "extra\n"
        "  EXTRA_ARGS: not set -> ''\\''a\\n- -m 1'\\''' (new.toml:2)\n"
        "+ '/work/a\\n- -m 1'\n"
        "\n"
        "in no argument: in the seed, or for the launcher itself\n"
        "  GUEST_PASSWORD: (hidden) (old.toml:1) -> (hidden) (new.toml:1)\n"
        "\n"
        "other contents in the seed: vendor-data\n");
}

}  // namespace
}  // namespace vmr::test
