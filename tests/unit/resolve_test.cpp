// SPDX-License-Identifier: MIT
#include "config/load.hpp"
#include "plan/launch_plan.hpp"
#include "spec/password.hpp"
#include "spec/vm_spec.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using namespace std::chrono_literals;
using Accelerators = std::vector<Accelerator>;

constexpr auto unsupported = ExitStatus::host_unsupported;

Host without_kvm(KvmFacts::State state, const std::string& reason) {
  auto host = docker_host();
  host.kvm = {state, reason};
  return host;
}

const std::string no_device = "/dev/kvm: No such file or directory";
const std::string fix_missing =
    "run the container with --device /dev/kvm, or load the kvm module on the host";
const std::string fix_permission =
    "let this user open /dev/kvm (group kvm; in a container --group-add)";

TEST_CASE("when nobody says anything the default guest runs") {
  VmSpec spec;
  spec.name = "vm";
  spec.memory_mib = 4096;
  spec.cpus = 2;
  spec.accelerators = {Accelerator::kvm, Accelerator::tcg};
  spec.machine = "q35";
  spec.boot = {"/guest/vmlinuz", "/guest/initrd", "root=/dev/vda"};
  spec.disk = Disk{"/guest/disk.qcow2", "qcow2", ""};
  spec.ssh = {"0.0.0.0", 2222};
  spec.cloud_init =
      CloudInit{"", hash_password("0123456789ab", "0123456789abcdef", PasswordMaker::machine), {}};
  spec.login_user = "debian";
  spec.generated_password = "0123456789ab";
  spec.console = true;
  spec.start_timeout = 64s;
  spec.stop_timeout = 8s;
  spec.hotplug_shares = 4;
  const auto resolved = resolve_settings({}, docker_host());
  CHECK(Verdict{resolved.problems, resolved.warnings} == Verdict{});
  CHECK(resolved.spec == spec);
}

TEST_CASE("the architecture decides on the machine its firmware and KVM") {
  auto host = docker_host();
  host.guest.reset();
  host.firmware = "/efi.fd";
  host.guest = GuestImage{"arm", "", "", "/d.img", "raw", "", "debian", Architecture::aarch64};
  for (const std::string arch : {"aarch64", "arm64", "AARCH64"}) {
    const auto spec = spec_of({"ARCH=" + arch}, host);
    CHECK(spec.architecture == Architecture::aarch64);
    CHECK(spec.machine == "virt");
    CHECK(spec.firmware == "/efi.fd");
    CHECK(spec.accelerators == std::vector{Accelerator::tcg});
  }
  CHECK(spec_of({"ARCH=arm64", "MACHINE=virt-7.2"}, host).machine == "virt-7.2");
  CHECK(
      judge({"ARCH=arm64", "ACCEL=kvm"}, host).problems ==
      std::vector<Problem>{
          {"ARCH='aarch64': KVM runs guests of this machine's own architecture only",
           "ARCH (environment)", "leave it out, or use ACCEL=tcg", ExitStatus::host_unsupported}});

  auto native = host;
  native.architecture = Architecture::aarch64;
  CHECK(spec_of({}, native).machine == "virt");
  CHECK(spec_of({}, native).accelerators == std::vector{Accelerator::kvm, Accelerator::tcg});

  host.firmware.clear();
  CHECK(judge({"ARCH=arm64"}, host).problems ==
        std::vector<Problem>{{"there is no UEFI firmware to start the disk's boot loader", "",
                              "install it (Debian: apt install qemu-efi-aarch64), or set KERNEL",
                              ExitStatus::host_unsupported}});
}

TEST_CASE("a guest of another architecture is refused") {
  auto host = docker_host();
  host.guest->architecture = Architecture::x86_64;
  CHECK(judge({"ARCH=amd64"}, host) == Verdict{});
  CHECK(judge({"ARCH=arm64"}, host) ==
        Verdict{{{"the guest 'demo' is one for x86_64, and the machine aarch64",
                  "ARCH (environment)", "set BASE_IMAGE to a guest of this architecture, or ARCH"}},
                {}});
}

TEST_CASE("every setting of the machine arrives") {
  VmSpec spec;
  spec.name = "Web-1.a_b";
  spec.memory_mib = 2048;
  spec.cpus = 8;
  spec.accelerators = {Accelerator::tcg};
  spec.cpu_model = "max,-avx512f,+vmx,l3-cache=off";
  spec.machine = "pc-q35-7.2";
  spec.boot = {"/guest/vmlinuz", "/guest/initrd", "root=/dev/vda"};
  spec.disk = Disk{"/guest/disk.qcow2", "qcow2", ""};
  spec.ssh = {"10.0.0.1", 22};
  spec.login_user = "debian";
  spec.console = false;
  spec.start_timeout = 5s;
  spec.stop_timeout = 500ms;
  spec.on_helper_exit = HelperExitPolicy::keep;
  spec.hotplug_shares = 8;
  spec.extra_args = {"-device", "a b,x=$(y)"};
  const auto resolved = resolve_settings(
      {"GUEST_NAME=Web-1.a_b", "MEMORY=2G", "CPUS=8", "ACCEL=tcg",
       "CPU_MODEL=max,-avx512f,+vmx,l3-cache=off", "MACHINE=pc-q35-7.2", "SSH_PORT=10.0.0.1:22",
       "CLOUD_INIT=0", "NO_CONSOLE=1", "STOP_TIMEOUT=0.5", "START_TIMEOUT=5", "ON_HELPER_EXIT=keep",
       "HOTPLUG_SHARES=8", "EXTRA_ARGS=-device 'a b,x=$(y)'"},
      docker_host());
  CHECK(Verdict{resolved.problems, resolved.warnings} == Verdict{});
  CHECK(resolved.spec == spec);
}

TEST_CASE("arguments behind two dashes follow those of the variable") {
  Arguments arguments;
  arguments.qemu_args = {"-c", "d e"};
  const auto config = load_config(arguments, {"EXTRA_ARGS=-a b"}, {}).config;
  const auto spec = resolve(config, docker_host()).spec;
  CHECK(Argv{spec.extra_args} == Argv{{"-a", "b"}});
  CHECK(Argv{spec.qemu_args} == Argv{{"-c", "d e"}});
  const auto plan = make_plan(spec, docker_host()).attempts.front();
  CHECK(std::vector<ArgumentGroup>(plan.groups.end() - 2, plan.groups.end()) ==
        std::vector<ArgumentGroup>{{"extra", {"-a", "b"}}, {"command-line", {"-c", "d e"}}});
  const auto& argv = plan.process.argv;
  CHECK(Argv{{argv.end() - 4, argv.end()}} == Argv{{"-a", "b", "-c", "d e"}});
}

TEST_CASE("the accelerators to try") {
  const auto opens = docker_host();
  const auto missing = without_kvm(KvmFacts::State::missing, no_device);
  struct Row {
    Strings settings;
    Host host;
    Accelerators expected;
  };
  const std::vector<Row> rows = {{{}, opens, {Accelerator::kvm, Accelerator::tcg}},
                                 {{"ACCEL=auto"}, opens, {Accelerator::kvm, Accelerator::tcg}},
                                 {{"ACCEL=kvm"}, opens, {Accelerator::kvm}},
                                 {{"REQUIRE_KVM=1"}, opens, {Accelerator::kvm}},
                                 {{"ACCEL=kvm", "REQUIRE_KVM=1"}, opens, {Accelerator::kvm}},
                                 {{"ACCEL=tcg"}, opens, {Accelerator::tcg}},
                                 {{"ACCEL=tcg"}, missing, {Accelerator::tcg}},
                                 {{}, missing, {Accelerator::tcg}}};
  for (const auto& row : rows) {
    CHECK(spec_of(row.settings, row.host).accelerators == row.expected);
  }
}

TEST_CASE("KVM that is not there is a warning unless it is required") {
  const std::string warning = "; the guest runs under TCG, many times slower (";
  const auto missing = without_kvm(KvmFacts::State::missing, no_device);
  const auto closed = without_kvm(KvmFacts::State::no_permission, "/dev/kvm: Permission denied");
  CHECK(judge({}, missing) ==
        Verdict{{}, {"KVM cannot be used: " + no_device + warning + fix_missing + ")"}});
  CHECK(judge({}, closed) == Verdict{{},
                                     {"KVM cannot be used: /dev/kvm: Permission denied" + warning +
                                      fix_permission + ")"}});
  CHECK(judge({"ACCEL=tcg"}, missing) == Verdict{});
  CHECK(judge({"ACCEL=kvm"}, missing) ==
        Verdict{{{"ACCEL='kvm': KVM cannot be used: " + no_device, "ACCEL (environment)",
                  fix_missing, unsupported}},
                {}});
  CHECK(judge({"REQUIRE_KVM=yes"}, closed) ==
        Verdict{{{"REQUIRE_KVM='1': KVM cannot be used: /dev/kvm: Permission denied",
                  "REQUIRE_KVM (environment)", fix_permission, unsupported}},
                {}});
}

TEST_CASE("KVM cannot be required and excluded") {
  CHECK(judge({"ACCEL=tcg", "REQUIRE_KVM=1"}, docker_host()) ==
        Verdict{{{"ACCEL='tcg': contradicts REQUIRE_KVM=1", "ACCEL (environment)",
                  "leave one of the two out"}},
                {}});
}

TEST_CASE("the CPU of the host needs KVM") {
  const auto missing = without_kvm(KvmFacts::State::missing, no_device);
  for (const std::string model : {"host", "host,-vmx"}) {
    CHECK(judge({"CPU_MODEL=" + model, "ACCEL=tcg"}, missing) ==
          Verdict{{}, {"CPU_MODEL='" + model + "' needs KVM: 'max' is used instead"}});
    CHECK(judge({"CPU_MODEL=" + model}, docker_host()) == Verdict{});
  }
  CHECK(judge({"CPU_MODEL=hostile", "ACCEL=tcg"}, missing) == Verdict{});
}

TEST_CASE("names that could break out of an option are refused") {
  const std::string name_hint =
      "use 1 to 63 letters, digits, '-', '.' and '_', starting with a letter or a digit";
  const std::string machine_hint =
      "use a name that 'qemu-system-x86_64 -machine help' lists; further machine options go into "
      "EXTRA_ARGS";
  const std::string cpu_hint =
      "use a model that 'qemu-system-x86_64 -cpu help' lists, with features as in 'max,-avx512f'";
  const Strings hostile = {"a b",  "a'b", "a\"b", "a\nb",     "a/b",
                           "$(x)", "a%b", "a;b",  "\xc3\xbc", "a\\b"};
  for (const auto& value : hostile) {
    CHECK(
        judge({"GUEST_NAME=" + value, "MACHINE=" + value, "CPU_MODEL=" + value}, docker_host()) ==
        Verdict{
            {{"GUEST_NAME='" + value + "': not a machine name", "GUEST_NAME (environment)",
              name_hint},
             {"MACHINE='" + value + "': not a machine type", "MACHINE (environment)", machine_hint},
             {"CPU_MODEL='" + value + "': not a CPU model", "CPU_MODEL (environment)", cpu_hint}},
            {}});
  }
  for (const std::string& name : {std::string(".."), std::string("-x"), std::string("_x"),
                                  std::string("a,b"), std::string("a=b"), std::string(64, 'n')}) {
    CHECK(judge({"GUEST_NAME=" + name}, docker_host()) ==
          Verdict{{{"GUEST_NAME='" + name + "': not a machine name", "GUEST_NAME (environment)",
                    name_hint}},
                  {}});
  }
  CHECK(judge({"GUEST_NAME=" + std::string(63, 'n')}, docker_host()) == Verdict{});
  CHECK(judge({"MACHINE=q35,accel=kvm"}, docker_host()) ==
        Verdict{{{"MACHINE='q35,accel=kvm': not a machine type", "MACHINE (environment)",
                  machine_hint}},
                {}});
}

TEST_CASE("QEMU that is not installed") {
  auto host = docker_host();
  host.qemu.clear();
  host.qemu_problem = "qemu-system-x86_64 is not in PATH";
  CHECK(judge({}, host) ==
        Verdict{{{"qemu-system-x86_64 is not in PATH", "",
                  "install QEMU (Debian: apt install qemu-system-x86)", unsupported}},
                {}});
}

TEST_CASE("a container is one by what it is, not by being process 1") {
  const auto defaults = [](bool is_container, bool is_pid_1) {
    auto host = is_container ? docker_host() : debian_12_host();
    host.is_pid_1 = is_pid_1;
    const auto spec = spec_of({}, host);
    return spec.ssh.address + ", " + std::to_string(spec.stop_timeout / 1s) + " s";
  };
  CHECK(defaults(true, true) == "0.0.0.0, 8 s");
  CHECK(defaults(true, false) == "0.0.0.0, 8 s");
  CHECK(defaults(false, true) == "127.0.0.1, 90 s");
  CHECK(defaults(false, false) == "127.0.0.1, 90 s");
}

TEST_CASE("the SSH forward") {
  CHECK(spec_of({"SSH_PORT=0"}, docker_host()).ssh == SshForward{});
  CHECK(spec_of({}, ordinary_user()).ssh == SshForward{"127.0.0.1", 2222});
  CHECK(spec_of({"SSH_PORT=0.0.0.0:23"}, ordinary_user()).ssh == SshForward{"0.0.0.0", 23});

  // Docker publishes nothing of a container that has the machine's network.
  auto on_the_machines_network = docker_host();
  on_the_machines_network.own_network = false;
  CHECK(spec_of({}, on_the_machines_network).ssh == SshForward{"127.0.0.1", 2222});

  auto busy = docker_host();
  busy.free_ssh_port = 2225;
  const auto moved = resolve_settings({}, busy);
  CHECK(moved.spec.ssh == SshForward{"0.0.0.0", 2225});
  CHECK(Verdict{moved.problems, moved.warnings} ==
        Verdict{{}, {"port 2222 is in use: SSH is forwarded from port 2225"}});

  // A port that was asked for is never another one; `run` says that it is in use.
  const auto asked = resolve_settings({"SSH_PORT=2222"}, busy);
  CHECK(asked.spec.ssh == SshForward{"0.0.0.0", 2222});
  CHECK(asked.warnings.empty());
}

TEST_CASE("the time to stop depends on who we are") {
  CHECK(spec_of({}, docker_host()).stop_timeout == 8s);
  CHECK(spec_of({}, ordinary_user()).stop_timeout == 90s);
  CHECK(spec_of({"STOP_TIMEOUT=0"}, ordinary_user()).stop_timeout == 0s);
  CHECK(spec_of({"MEMORY=100G"}, docker_host()).start_timeout == 160s);
  CHECK(spec_of({"MACHINE=pc"}, docker_host()).hotplug_shares == 0);
  CHECK(spec_of({"HOTPLUG_SHARES=0"}, docker_host()).hotplug_shares == 0);
}

TEST_CASE("problems of the configuration and of the host come together") {
  auto host = without_kvm(KvmFacts::State::missing, no_device);
  host.qemu.clear();
  host.qemu_problem = "qemu-system-x86_64 is not in PATH";
  const auto verdict =
      judge({"MEMORY=x", "GUEST_NAME=a b", "ACCEL=kvm", "KERNEL=/none", "FILESYSTEM_SOURCE=/share",
             "FILESYSTEM_ACCESSMODE=mapped", "SSH_PUBKEY=x"},
            host);
  Strings messages;
  for (const auto& problem : verdict.problems) messages.push_back(problem.message);
  CHECK(Argv{messages} ==
        Argv{{"MEMORY='x': not an amount of memory", "GUEST_NAME='a b': not a machine name",
              "ACCEL='kvm': KVM cannot be used: " + no_device, "qemu-system-x86_64 is not in PATH",
              "KERNEL='/none': no such file",
              "FILESYSTEM_ACCESSMODE='mapped': virtiofs only supports passthrough accessmode",
              "SSH_PUBKEY: line 1 is not an SSH public key"}});
  CHECK(verdict.warnings.empty());
  CHECK(exit_status_of(verdict.problems) == ExitStatus::usage);
}

}  // namespace
}  // namespace vmr::test
