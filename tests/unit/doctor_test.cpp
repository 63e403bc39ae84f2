// SPDX-License-Identifier: MIT
#include "support/doctor.hpp"

#include "commands/doctor_report.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace vmr::test {
namespace {

const Strings one_share = {"FILESYSTEM_SOURCE=/share", "GUEST_PASSWORD=x"};

TEST_CASE("the whole report of a container") {
  const auto report = report_of(one_share, docker_host(), docker_facts());
  CHECK(status_of(report) == 0);
  CHECK(report_table(report, false) == R"(vm-runner run would work.

machine
  note  place            a Docker container, x86_64, as root, PID 1
  note  CPU              AMD EPYC 7763 64-Core Processor, 4 to use; virtualization: svm
  ok    KVM              /dev/kvm opens, and a vCPU ran
QEMU
  ok    program          /usr/bin/qemu-system-x86_64, version 10.0.2
  ok    accelerators     tcg, kvm
  ok    share devices    vhost-user-fs-pci (virtiofs): yes, virtio-9p-pci (9p): yes
  ok    start            the machine 'q35', 2 CPUs, 4096 MiB starts under kvm
virtiofsd
  ok    program          /usr/libexec/virtiofsd, version 1.13.2, the one written in Rust
  ok    abilities        READONLY: yes, OWNER: yes, SANDBOX=none: yes, file handles: yes
  ok    sandbox          'chroot', the strongest that works here
                         -> for 'namespace', which needs the right to mount: docker run --cap-add
                            SYS_ADMIN --security-opt seccomp=docker/seccomp-virtiofs.json, and
                            --security-opt apparmor=unconfined where AppArmor confines containers
privileges
  ok    capabilities     what virtiofsd needs is there; in effect: CHOWN, DAC_OVERRIDE, FOWNER,
                         FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW,
                         SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP
  note  seccomp          a filter; tried: unshare(CLONE_FS) refused, chroot allowed, pivot_root in
                         new namespaces refused, open_by_handle_at refused
  note  user namespaces  refused; root needs none
limits
  ok    open files       1048576 at most
  ok    memory           MEMORY is 4096 MiB; the cgroup has no limit, 14000 MiB are available
  ok    locked memory    8192 KiB; none is locked, unless your own arguments ask for it
ports
  ok    SSH              0.0.0.0:2222 is free and leads to the guest's port 22; for the host: docker
                         run -p 127.0.0.1:2222:2222
guest
  ok    chosen           'demo', with the kernel /guest/vmlinuz, its user: debian
  ok    image            /guest/disk.qcow2, qcow2, 10.0 GiB
  ok    lock             no other process has it open for writing
  ok    changes          dropped at the end; until then in /var/tmp, 50.0 GiB free (overlay)
  ok    name             no VM named 'vm' runs; its sockets will be in /run/vm-runner
shares
  ok    #1 here          /share: a folder of 1000:1000, mode 0755; ext4, 50.0 GiB free, extended
                         attributes work
  ok    #1 in the guest  /mnt/share over virtiofs, read-write, tag 'share', sandbox 'chroot'
processes
  ok    user             QEMU runs as user 60914 with the capabilities DAC_OVERRIDE alone
  note  Landlock         Landlock (version 3) holds, of qemu, virtiofsd-1: which files are opened,
                         made and removed; which are cut off; but not: which TCP ports are listened
                         at (version 4); which devices are given commands (version 5); abstract
                         sockets and signals to others (version 6)
)");
}

TEST_CASE("the whole report of an ordinary user on a machine") {
  const auto report = report_of(one_share, ordinary_user(), ordinary_user_facts());
  CHECK(status_of(report) == 0);
  CHECK(report_table(report, false) == R"(vm-runner run would work.

machine
  note  place            a machine, no container, x86_64, as user 1000:1000
  note  CPU              AMD EPYC 7763 64-Core Processor, 4 to use; virtualization: svm
  ok    KVM              /dev/kvm opens, and a vCPU ran
QEMU
  ok    program          /usr/bin/qemu-system-x86_64, version 10.0.2
  ok    accelerators     tcg, kvm
  ok    share devices    vhost-user-fs-pci (virtiofs): yes, virtio-9p-pci (9p): yes
  ok    start            the machine 'q35', 2 CPUs, 4096 MiB starts under kvm
virtiofsd
  ok    program          /usr/libexec/virtiofsd, version 1.13.2, the one written in Rust
  ok    abilities        READONLY: yes, OWNER: yes, SANDBOX=none: yes, file handles: yes
  ok    sandbox          'namespace', the strongest
privileges
  ok    capabilities     none; an ordinary user needs none
  ok    seccomp          no filter; tried: unshare(CLONE_FS) allowed, chroot refused, pivot_root in
                         new namespaces refused, open_by_handle_at refused
  ok    user namespaces  one was made, with a sandbox in it
limits
  ok    open files       1048576 at most
  ok    memory           MEMORY is 4096 MiB; the cgroup has no limit, 14000 MiB are available
  ok    locked memory    8192 KiB; none is locked, unless your own arguments ask for it
ports
  ok    SSH              127.0.0.1:2222 is free and leads to the guest's port 22
guest
  ok    chosen           'demo', with the kernel /guest/vmlinuz, its user: debian
  ok    image            /guest/disk.qcow2, qcow2, 10.0 GiB
  ok    lock             no other process has it open for writing
  ok    changes          dropped at the end; until then in /var/tmp, 50.0 GiB free (overlay)
  ok    name             no VM named 'vm' runs; its sockets will be in /run/user/1000/vm-runner
shares
  ok    #1 here          /share: a folder of 1000:1000, mode 0755; ext4, 50.0 GiB free, extended
                         attributes work
  ok    #1 in the guest  /mnt/share over virtiofs, read-write, tag 'share', sandbox 'namespace'
processes
  ok    user             QEMU runs as this user without capabilities
  note  Landlock         Landlock (version 3) holds, of qemu: which files are opened, made and
                         removed; which are cut off; but not: which TCP ports are listened at
                         (version 4); which devices are given commands (version 5); abstract sockets
                         and signals to others (version 6); and nothing of virtiofsd-1
)");
}

TEST_CASE("every problem of the settings is told at once with its hint") {
  auto host = docker_host();
  host.free_ssh_port = 2300;
  const auto report = report_of(
      {"MEMORY=12x", "FILESYSTEM_SOURCE=/nowhere", "FILESYSTEM_READONLY=1", "SSH_PORT=22",
       "FILESYSTEM2_SOURCE=/share", "FILESYSTEM2_DRIVER=9p", "FILESYSTEM2_SANDBOX=chroot"},
      host, docker_facts());
  CHECK(Argv{failures_of(report)} ==
        Argv{{"ports setting: SSH_PORT='22': the port is in use; from SSH_PORT (environment) -> "
              "choose another port, or 0 for none",
              "shares setting: FILESYSTEM_SOURCE='/nowhere': the virtiofs export directory "
              "'/nowhere' does not exist; from FILESYSTEM_SOURCE (environment) -> create it, or "
              "correct the path (a missing source is only made for a share that is not read-only)",
              "shares setting: FILESYSTEM2_SANDBOX='chroot': sandbox can only be used with "
              "driver=virtiofs; from FILESYSTEM2_SANDBOX (environment) -> leave it out, or use "
              "FILESYSTEM2_DRIVER=virtiofs",
              "settings setting: MEMORY='12x': not an amount of memory; from MEMORY (environment) "
              "-> MiB, or a number with a unit: 2048, 512M, 2G"}});
  CHECK(status_of(report) == 2);
}

TEST_CASE("a port at an address is told with it, and whose address it is") {
  auto host = docker_host();
  host.free_ssh_port = 2300;
  CHECK(Argv{failures_of(report_of({"SSH_PORT=127.0.0.1:22"}, host, docker_facts()))} ==
        Argv{{"ports setting: SSH_PORT='127.0.0.1:22': the port is in use; from SSH_PORT "
              "(environment) -> choose another port, or 0 for none"}});
  host.free_ssh_port.reset();
  host.ssh_port_obstacle = "Cannot assign requested address";
  host.foreign_ssh_address = true;
  CHECK(Argv{failures_of(report_of({"SSH_PORT=1.2.3.4:2222"}, host, docker_facts()))} ==
        Argv{{"ports setting: SSH_PORT='1.2.3.4:2222': 1.2.3.4 is no address of this host; from "
              "SSH_PORT (environment) -> the port is opened on this host: give one of its own "
              "addresses (127.0.0.1, 0.0.0.0 for all of them), or the port alone"}});
}

TEST_CASE("a port that is not in use and cannot be had all the same") {
  auto host = docker_host();
  host.free_ssh_port = 1024;
  host.ssh_port_obstacle = "Permission denied";
  const std::string cannot =
      "the port cannot be had: Permission denied; from SSH_PORT "
      "(environment) -> choose ";
  CHECK(Argv{failures_of(report_of({"SSH_PORT=1023"}, host, docker_facts()))} ==
        Argv{{"ports setting: SSH_PORT='1023': " + cannot +
              "a port from 1024 on (one below needs CAP_NET_BIND_SERVICE), or 0 for none"}});
  CHECK(Argv{failures_of(report_of({"SSH_PORT=192.0.2.1:2222"}, host, docker_facts()))} ==
        Argv{{"ports setting: SSH_PORT='192.0.2.1:2222': " + cannot +
              "another port, or 0 for none"}});
}

TEST_CASE("warnings are in the report once") {
  auto host = docker_host();
  host.kvm = {KvmFacts::State::missing, "/dev/kvm: No such file or directory"};
  host.guest.reset();
  host.free_ssh_port = 2223;
  auto facts = docker_facts();
  facts.image.reset();
  const auto report = report_of({"FILESYSTEM_SOURCE=/share", "CLOUD_INIT=0"}, host, facts);
  CHECK(Argv{checks_of(report, "machine", "KVM")} ==
        Argv{{"warn KVM: /dev/kvm: No such file or directory; the guest runs under TCG, many times "
              "slower -> docker run --device /dev/kvm"}});
  CHECK(Argv{checks_of(report, "ports")} ==
        Argv{{"ok SSH: 0.0.0.0:2223 is free and leads to the guest's port 22; for the host: docker "
              "run -p 127.0.0.1:2223:2223",
              "warn setting: port 2222 is in use: SSH is forwarded from port 2223"}});
  CHECK(Argv{checks_of(report, "guest")} ==
        Argv{{"ok name: no VM named 'vm' runs; its sockets will be in /run/vm-runner",
              "FAIL setting: there is no guest to start -> set BASE_IMAGE, or make the demo guest "
              "with scripts/build-guest"}});
  CHECK(Argv{checks_of(report, "settings")} ==
        Argv{{"warn setting: CLOUD_INIT is off: the guest is not told to mount its shares; mount "
              "them by hand (mount -t virtiofs TAG DIR, or mount -t 9p -o trans=virtio TAG DIR)"}});
  CHECK(status_of(report) == 2);
}

TEST_CASE("what is done about a KVM that cannot be opened") {
  using State = KvmFacts::State;
  struct Row {
    Surroundings where;
    State state;
    std::uint32_t uid;
    std::string extension;
    std::string fix;
  };
  const std::string plugin =
      "a device plugin that offers /dev/kvm (docker/kubernetes/kvm shows how)";
  const std::vector<Row> rows = {
      {Surroundings::docker, State::missing, 0, "svm", "docker run --device /dev/kvm"},
      {Surroundings::podman, State::missing, 0, "svm", "podman run --device /dev/kvm"},
      {Surroundings::container, State::no_permission, 0, "", "docker run --device /dev/kvm"},
      {Surroundings::kubernetes, State::missing, 0, "svm", plugin},
      {Surroundings::kubernetes, State::no_permission, 1000, "svm",
       plugin + "; supplementalGroups: [the group of /dev/kvm]"},
      {Surroundings::docker, State::no_permission, 1000, "svm",
       "docker run --device /dev/kvm --group-add \"$(stat -c %g /dev/kvm)\""},
      {Surroundings::machine, State::missing, 0, "svm", "sudo modprobe kvm_amd"},
      {Surroundings::machine, State::missing, 1000, "vmx", "sudo modprobe kvm_intel"},
      {Surroundings::machine, State::missing, 0, "",
       "switch virtualization on in the firmware (VT-x, AMD-V); in a virtual machine its host has "
       "to allow nested virtualization"},
      {Surroundings::machine, State::no_permission, 1000, "vmx",
       "sudo usermod -aG kvm \"$USER\", then log in again"},
      {Surroundings::machine, State::no_permission, 0, "vmx",
       "allow the device 10:232 where a cgroup or a security module forbids it"}};
  for (const auto& row : rows) {
    auto host = docker_host();
    host.uid = row.uid;
    host.kvm = {row.state, "/dev/kvm: no"};
    auto facts = docker_facts();
    facts.surroundings = row.where;
    facts.cpu.virtualization = row.extension;
    const auto report = report_of({}, host, facts);
    CHECK(Argv{checks_of(report, "machine", "KVM")} ==
          Argv{{"warn KVM: /dev/kvm: no; the guest runs under TCG, many times slower -> " +
                row.fix}});
    CHECK(status_of(report) == 0);
    // Where it must be KVM, the problem of the setting is told instead.
    const auto insisting = report_of({"REQUIRE_KVM=1"}, host, facts);
    CHECK(checks_of(insisting, "machine", "KVM").empty());
    CHECK(Argv{failures_of(insisting)} ==
          Argv{{"machine setting: REQUIRE_KVM='1': KVM cannot be used: /dev/kvm: no; from "
                "REQUIRE_KVM (environment) -> " +
                row.fix}});
    CHECK(status_of(insisting) == 3);
  }
}

TEST_CASE("a KVM that opens is not yet one that works") {
  auto facts = docker_facts();
  facts.cpu.vcpu_problem = "KVM_RUN: Invalid argument";
  const std::string broken = "/dev/kvm opens, but no vCPU runs: KVM_RUN: Invalid argument";
  const std::string fix =
      " -> sudo dmesg | grep -i kvm on the container's host may say why (in a virtual machine its "
      "host has to allow nested virtualization); ACCEL=tcg does without KVM";
  const auto kvm_of = [&](const Strings& settings) {
    const auto report = report_of(settings, docker_host(), facts);
    return fmt::format("{} {}", status_of(report), checks_of(report, "machine", "KVM").front());
  };
  CHECK(kvm_of({}) ==
        "0 warn KVM: " + broken + "; the guest runs under TCG, many times slower" + fix);
  CHECK(kvm_of({"ACCEL=tcg"}) == "0 note KVM: not used: ACCEL='tcg'; here " + broken);
  CHECK(kvm_of({"ACCEL=kvm"}) ==
        "3 FAIL KVM: ACCEL='kvm': " + broken + "; from ACCEL (environment)" + fix);
  facts.cpu.vcpu_problem.clear();
  facts.qemu.kvm_problem = "qemu-system-x86_64: it aborted: here";
  CHECK(kvm_of({"REQUIRE_KVM=1"}) ==
        "3 FAIL KVM: REQUIRE_KVM='1': a vCPU runs, but QEMU does not start under KVM: it aborted: "
        "here; from REQUIRE_KVM (environment)" +
            fix);
  facts.qemu.kvm_problem.clear();
  CHECK(kvm_of({"ACCEL=kvm"}) == "0 ok KVM: /dev/kvm opens, and a vCPU ran");
  CHECK(kvm_of({"ARCH=aarch64", "KERNEL=/share"})
            .ends_with("note KVM: not used: the guest is of another architecture; here it works"));
}

TEST_CASE("a QEMU that does not start the machine or lacks a device") {
  auto facts = docker_facts();
  facts.qemu.machine_problem = "qemu-system-x86_64: unable to find CPU model 'x\ny'";
  const auto report = report_of({"CPU_MODEL=x"}, docker_host(), facts);
  CHECK(
      Argv{failures_of(report)} ==
      Argv{{"QEMU start: QEMU does not start the machine 'q35', 2 CPUs, 4096 MiB: unable to find "
            "CPU model 'x\ny' -> change MACHINE, CPU_MODEL, CPUS or MEMORY "
            "(/usr/bin/qemu-system-x86_64 -machine help and /usr/bin/qemu-system-x86_64 -cpu help "
            "list what there is)"}});
  CHECK(status_of(report) == 1);

  auto lacking = docker_facts();
  lacking.qemu.has_virtiofs = false;
  lacking.qemu.has_ninep.reset();
  const std::string seen = "vhost-user-fs-pci (virtiofs): no, virtio-9p-pci (9p): unknown";
  const std::string fix = " -> use a QEMU with this device (Debian's has both)";
  CHECK(Argv{checks_of(report_of({}, docker_host(), lacking), "QEMU", "share devices")} ==
        Argv{{"note share devices: " + seen + fix}});
  const auto sharing = report_of(one_share, docker_host(), lacking);
  CHECK(Argv{checks_of(sharing, "QEMU", "share devices")} ==
        Argv{{"FAIL share devices: this QEMU lacks a device that a share needs: " + seen + fix}});
  CHECK(status_of(sharing) == 1);
}

TEST_CASE("without programs, guest and settings") {
  auto host = docker_host();
  host.qemu.clear();
  host.qemu_problem = "qemu-system-x86_64 is not in PATH";
  host.virtiofsd.reset();
  host.virtiofsd_problem = "Unable to find a satisfying virtiofsd";
  host.guest.reset();
  DoctorFacts facts;
  const auto report = report_of({}, host, facts);
  CHECK(
      Argv{checks_of(report, "QEMU")} ==
      Argv{{"FAIL setting: qemu-system-x86_64 is not in PATH -> install QEMU (Debian: apt install "
            "qemu-system-x86)"}});
  CHECK(Argv{checks_of(report, "virtiofsd")} ==
        Argv{{"note a share: would be refused: Unable to find a satisfying virtiofsd -> install "
              "virtiofsd (Debian 13: virtiofsd, Debian 12: qemu-system-common)"}});
  // There is no guest either, which is wrong usage; but `run` does not come that far.
  CHECK(failures_of(report).size() == 2);
  CHECK(status_of(report) == 3);
}

TEST_CASE("capabilities that were dropped come back by flags") {
  auto host = docker_host();
  host.missing_capabilities = {"CHOWN", "MKNOD"};
  host.abilities.chroot = false;
  auto facts = docker_facts();
  facts.process.capabilities.clear();
  const auto flags_in = [&](Surroundings where) {
    facts.surroundings = where;
    return Argv{checks_of(report_of({}, host, facts), "privileges", "capabilities")};
  };
  const std::string lacks = "note capabilities: virtiofsd lacks CHOWN, MKNOD; in effect: none -> ";
  CHECK(flags_in(Surroundings::docker) ==
        Argv{{lacks + "docker run --cap-add CHOWN --cap-add MKNOD --cap-add SYS_CHROOT"}});
  CHECK(flags_in(Surroundings::podman) ==
        Argv{{lacks + "podman run --cap-add CHOWN --cap-add MKNOD --cap-add SYS_CHROOT"}});
  CHECK(flags_in(Surroundings::kubernetes) ==
        Argv{{lacks + "securityContext: capabilities: add: [CHOWN, MKNOD, SYS_CHROOT]"}});
  facts.surroundings = Surroundings::docker;
  const auto sharing = report_of(one_share, host, facts);
  CHECK(Argv{checks_of(sharing, "virtiofsd", "sandbox")} ==
        Argv{{"warn sandbox: none works here: a symbolic link may lead the guest out of the source "
              "-> docker run --cap-add SYS_CHROOT"}});
  CHECK(failures_of(sharing).size() == 1);
  CHECK(status_of(sharing) == 3);
}

TEST_CASE("an ordinary user without user namespaces") {
  auto host = ordinary_user();
  host.abilities.user_namespace = false;
  auto facts = ordinary_user_facts();
  const auto fix_for = [&](const std::string& sysctl) {
    facts.process.user_namespaces_off = sysctl;
    const auto lines = checks_of(report_of(one_share, host, facts), "virtiofsd", "sandbox");
    return lines.front().substr(lines.front().find("-> "));
  };
  CHECK(fix_for("kernel.unprivileged_userns_clone") ==
        "-> sudo sysctl kernel.unprivileged_userns_clone=1");
  CHECK(fix_for("user.max_user_namespaces") == "-> sudo sysctl user.max_user_namespaces=15000");
  CHECK(fix_for("kernel.apparmor_restrict_unprivileged_userns") ==
        "-> sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0");
  CHECK(fix_for("") == "-> run as root, or allow this user namespaces and an unmasked /proc");
  facts.surroundings = Surroundings::docker;
  CHECK(fix_for("") ==
        "-> docker run without --user: root has the sandbox 'chroot', and "
        "FILESYSTEM_OWNER=1000:1000 makes files of user 1000");
}

}  // namespace
}  // namespace vmr::test
