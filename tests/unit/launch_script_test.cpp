// SPDX-License-Identifier: MIT
#include "commands/launch_script.hpp"

#include <doctest/doctest.h>

namespace {

using namespace vmr;

LaunchPlan plan_with_a_kept_disk() {
  LaunchPlan plan;
  plan.vm_name = "a b";
  plan.paths.folder = "/run/x y";
  plan.paths.console = "/run/x y/console.sock";
  plan.paths.seed = "/run/x y/seed.iso";
  plan.seed = SeedContents{};
  plan.persistent_disk = Disk{"/base image.qcow2", "qcow2", "/data/it's.qcow2"};
  return plan;
}

QemuPlan small_qemu() {
  QemuPlan qemu;
  qemu.groups = {{"memory", {"-m", "16M"}}, {"base", {"-name", "a b"}}};
  qemu.process = {"qemu", {"/bin/qemu", "-m", "16M", "-name", "a b"}, {{3, "/run/x y/qmp.sock"}}};
  return qemu;
}

}  // namespace

TEST_CASE("the script of a launch") {
  Arguments arguments;
  arguments.assignments = {"memory=16M", "guest_Password=hunter2", "nonsense=1"};
  arguments.config_file = "my vm.toml";
  const std::vector<std::string> environment = {"CPUS=1", "GUEST_PASSWORD=hunter3", "OTHER=x"};
  const auto script = launch_script(plan_with_a_kept_disk(), small_qemu(), {},
                                    {arguments, environment, "/my folder"}, 1 << 20);
  const auto start = script.find("set -euo pipefail");
  REQUIRE(start != script.npos);
  CHECK(script.substr(start) == R"sh(set -euo pipefail

qemu=(
  /bin/qemu
  -m 16M
  -name 'a b'
)

umask go-w
while :; do
  mkdir -p -m 0700 -- '/run/x y'
  exec {lock}<'/run/x y'
  flock -n "$lock" || { printf '%s\n' 'error: a VM named '\''a b'\'' is already running' >&2; exit 1; }
  # Whoever had it before may have removed it meanwhile.
  [[ '/run/x y' -ef /dev/fd/$lock ]] && break
done
made=('/run/x y/seed.iso' '/run/x y/qmp.sock')
trap 'rm -f -- "${made[@]}"; rmdir -- '\''/run/x y'\'' 2>/dev/null' EXIT
[[ -e '/data/it'\''s.qcow2' ]] || { mkdir -p -- "$(dirname -- '/data/it'\''s.qcow2')" &&
  (umask 077 && qemu-img create -q -u -f qcow2 -F qcow2 -b '/base image.qcow2' '/data/it'\''s.qcow2' 1048576); }
(cd -- '/my folder' && env CPUS=1 vm-runner seed -o '/run/x y/seed.iso' --set memory=16M 'my vm.toml')
vm-runner listen '3=/run/x y/qmp.sock' -- "${qemu[@]}"
)sh");
}

TEST_CASE("the script makes a copy and its record as run does") {
  auto plan = plan_with_a_kept_disk();
  plan.persistent_disk->is_copy = true;
  plan.persistent_disk->record = "vm-runner-disk-1\nkind copy\n";
  plan.persistent_disk->copies = {{"/g/it's", "/data/vm.kernel"}};
  const auto script = launch_script(plan, small_qemu(), {}, {{}, {}, "/"}, 0);
  const std::string expected = R"sh(
[[ -e '/data/it'\''s.qcow2' ]] || { mkdir -p -- "$(dirname -- '/data/it'\''s.qcow2')" &&
  (umask 077 && cp -- '/g/it'\''s' /data/vm.kernel && printf %s 'vm-runner-disk-1
kind copy
' >'/data/it'\''s.qcow2.base' && cp --no-preserve=mode -- '/base image.qcow2' '/data/it'\''s.qcow2'); }
)sh";
  CHECK_MESSAGE(script.find(expected) != script.npos, script);
  // Which a file with images behind it, or a raw one, cannot be as it is.
  plan.persistent_disk->format = "raw";
  CHECK(
      launch_script(plan, small_qemu(), {}, {{}, {}, "/"}, 0)
          .find(" && qemu-img convert -q --image-opts 'driver=raw,file.filename=/base image.qcow2' "
                "-O qcow2 '/data/it'\\''s.qcow2'); }\n") != script.npos);
}

TEST_CASE("an explained array has a comment above each part") {
  const std::vector<Part> parts = {{"virtiofsd-1", 1, true, {"/v", "--fd=3", "-o", "a b"}},
                                   {"memory", 0, false, {"-m", "16M"}},
                                   {"extra", 0, false, {"-x", "two\nlines"}}};
  const std::vector<Explanation> explanations = {{"virtiofsd-1: it", {"a note"}, {"X=1 (default)"}},
                                                 {"memory: that", {}, {}},
                                                 {"extra", {}, {"Y"}}};
  CHECK(bash_arrays(parts, explanations, "/bin/qemu") == R"sh(# virtiofsd-1: it
#   a note
#   X=1 (default)
virtiofsd_1=(
  /v
  --fd=3
  -o 'a b'
)
qemu=(
  /bin/qemu

  # memory: that
  -m 16M

  # extra
  #   Y
  -x 'two
lines'
)
)sh");
}

TEST_CASE("a part alone is added to an array") {
  CHECK(bash_arrays({{"memory", 0, false, {"-m", "16M"}}}, {}, "") == "qemu+=(\n  -m 16M\n)\n");
  CHECK(bash_arrays({{"memory", 0, false, {"-m", "16M"}}}, {{"memory", {}, {}}}, "") ==
        "qemu+=(\n  # memory\n  -m 16M\n)\n");
  CHECK(bash_arrays({{"virtiofsd-2", 2, true, {"/v"}}}, {}, "") == "virtiofsd_2=(\n  /v\n)\n");
}
