// SPDX-License-Identifier: MIT
#include "plan/qemu_plan.hpp"

#include "plan/share_plan.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/qemu_option_parser.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

const std::string qemu = "/usr/bin/qemu-system-x86_64";
const RuntimePaths no_seed = {
    "/r", "", "/r/qmp.sock", "/r/console.sock", "/r/reports.sock", "/r/agent.sock"};
const RuntimePaths with_seed = {
    "/r", "/r/seed.iso", "/r/qmp.sock", "/r/console.sock", "/r/reports.sock", "/r/agent.sock"};

VmSpec smallest_spec() {
  VmSpec spec;
  spec.name = "vm";
  spec.memory_mib = 512;
  spec.cpus = 1;
  spec.machine = "q35";
  return spec;
}

SharePlan virtiofs_plan() {
  Share share;
  share.tag = share.source = "s";
  return plan_share(share, 0, docker_host(), "/r");
}

SharePlan ninep_plan() {
  Share share;
  share.number = 2;
  share.tag = "t";
  share.source = "/t";
  share.driver = Driver::ninep;
  return plan_share(share, 1, docker_host(), "/r");
}

/// The arguments of one group; none when there is no such group.
Argv group_of(const QemuPlan& plan, const std::string& name) {
  for (const auto& group : plan.groups) {
    if (group.name == name) return {group.arguments};
  }
  return {};
}

Argv group_of(const VmSpec& spec, const std::string& name) {
  return group_of(plan_qemu(spec, Accelerator::tcg, qemu, with_seed, {}), name);
}

Strings group_names(const QemuPlan& plan) {
  Strings names;
  for (const auto& group : plan.groups) names.push_back(group.name);
  return names;
}

/// The arguments that every VM has, before those of its shares.
const Strings common_tail = {
    "-device",  "virtio-rng-pci",
    "-chardev", "socket,id=console,fd=4,server=on,wait=off",
    "-device",  "isa-serial,chardev=console",
    "-device",  "virtio-serial-pci,id=serial,ioeventfd=off",
    "-chardev", "socket,id=reports,fd=5,server=on,wait=off",
    "-device",  "virtserialport,chardev=reports,name=org.vm-runner.shares",
    "-chardev", "socket,id=agent,fd=6,server=on,wait=off",
    "-device",  "virtserialport,chardev=agent,id=agent,name=org.qemu.guest_agent.0",
    "-device",  "pvpanic-pci",
    "-chardev", "socket,id=qmp,fd=3,server=on,wait=off",
    "-mon",     "chardev=qmp,mode=control"};

const Strings sandbox = {"-sandbox",
                         "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"};

Argv joined(Strings words, const Strings& more, const Strings& last = {}) {
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), last.begin(), last.end());
  return {words};
}

TEST_CASE("an aarch64 machine has its console and its firmware elsewhere") {
  auto spec = smallest_spec();
  spec.architecture = Architecture::aarch64;
  spec.machine = "virt";
  spec.firmware = "/efi.fd";
  const auto plan = plan_qemu(spec, Accelerator::tcg, "/usr/bin/qemu-system-aarch64", no_seed, {});
  CHECK(group_of(plan, "console") == Argv{{"-chardev", "socket,id=console,fd=4,server=on,wait=off",
                                           "-serial", "chardev:console"}});
  CHECK(group_of(plan, "boot") == Argv{{"-bios", "/efi.fd"}});
}

TEST_CASE("the smallest machine under TCG") {
  const auto plan = plan_qemu(smallest_spec(), Accelerator::tcg, qemu, no_seed, {});
  CHECK(Argv{plan.process.argv} ==
        joined({qemu,           "-nodefaults", "-no-user-config",
                "-display",     "none",        "-name",
                "guest=vm",     "-machine",    "q35,usb=off",
                "-accel",       "tcg",         "-cpu",
                "max",          "-smp",        "1",
                "-m",           "512M",        "-netdev",
                "user,id=net0", "-device",     "virtio-net-pci,netdev=net0,romfile="},
               common_tail, sandbox));
  CHECK(plan.accelerator == Accelerator::tcg);
  CHECK(plan.process.name == "qemu");
  CHECK(plan.process.listeners == std::vector<Listener>{{3, "/r/qmp.sock"},
                                                        {4, "/r/console.sock"},
                                                        {5, "/r/reports.sock"},
                                                        {6, "/r/agent.sock"}});
}

TEST_CASE("a machine with everything under KVM") {
  VmSpec spec = smallest_spec();
  spec.name = "web";
  spec.memory_mib = 2048;
  spec.cpus = 4;
  spec.machine = "pc-q35-7.2";
  spec.boot = {"/k", "/i", "root=/dev/vda quiet"};
  spec.disk = Disk{"/d.qcow2", "qcow2", ""};
  spec.ssh = {"127.0.0.1", 2222};
  spec.extra_args = {"-device", "virtio-balloon-pci"};
  const auto plan =
      plan_qemu(spec, Accelerator::kvm, qemu, with_seed, {virtiofs_plan(), ninep_plan()});
  CHECK(
      Argv{plan.process.argv} ==
      joined({qemu,
              "-nodefaults",
              "-no-user-config",
              "-display",
              "none",
              "-name",
              "guest=web",
              "-machine",
              "pc-q35-7.2,usb=off,memory-backend=memory",
              "-accel",
              "kvm",
              "-cpu",
              "host",
              "-smp",
              "4",
              "-m",
              "2048M",
              "-object",
              "memory-backend-memfd,id=memory,size=2048M,share=on",
              "-kernel",
              "/k",
              "-initrd",
              "/i",
              "-append",
              "root=/dev/vda quiet",
              "-drive",
              "if=none,id=disk,file.driver=file,file.filename=/d.qcow2,format=qcow2,snapshot=on",
              "-device",
              "virtio-blk-pci,drive=disk",
              "-drive",
              "if=none,id=seed,file.driver=file,file.filename=/r/seed.iso,format=raw,readonly=on",
              "-device",
              "virtio-blk-pci,drive=seed",
              "-netdev",
              "user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22",
              "-device",
              "virtio-net-pci,netdev=net0,romfile="},
             common_tail,
             {"-chardev", "socket,id=share1,fd=7", "-device",
              "vhost-user-fs-pci,chardev=share1,tag=s,queue-size=1024,addr=0x10.0,multifunction=on",
              "-fsdev", "local,id=share2,path=/t,security_model=passthrough,multidevs=remap",
              "-device", "virtio-9p-pci,fsdev=share2,mount_tag=t,addr=0x10.1", sandbox.front(),
              sandbox.back(), "-device", "virtio-balloon-pci"}));
  CHECK(group_names(plan) == Strings{"base", "machine", "memory", "boot", "disk", "seed", "network",
                                     "entropy", "console", "ports", "panic", "control", "shares",
                                     "shares", "sandbox", "extra"});
}

TEST_CASE("the groups in a row are the command line and none is empty") {
  const auto plan = plan_qemu(smallest_spec(), Accelerator::tcg, qemu, no_seed, {});
  CHECK(group_names(plan) == Strings{"base", "machine", "memory", "network", "entropy", "console",
                                     "ports", "panic", "control", "sandbox"});
  Strings flat = {qemu};
  for (const auto& group : plan.groups) {
    CHECK_FALSE(group.arguments.empty());
    flat.insert(flat.end(), group.arguments.begin(), group.arguments.end());
  }
  CHECK(Argv{flat} == Argv{plan.process.argv});
}

TEST_CASE("shares that come later have their ports and shared memory") {
  auto spec = smallest_spec();
  spec.hotplug_shares = 2;
  CHECK(hotplug_ports(spec) == Strings{"hotplug1", "hotplug2"});
  CHECK(group_of(spec, "hotplug") ==
        Argv{{"-device", "pcie-root-port,id=hotplug1,chassis=1,addr=0xf.0,multifunction=on",
              "-device", "pcie-root-port,id=hotplug2,chassis=2,addr=0xf.1"}});
  CHECK(group_of(spec, "machine").words.at(1) == "q35,usb=off,memory-backend=memory");
}

TEST_CASE("memory is shared exactly when a virtiofsd needs it or may come to need it") {
  const auto ninep = plan_qemu(smallest_spec(), Accelerator::tcg, qemu, no_seed, {ninep_plan()});
  CHECK(group_of(ninep, "memory") == Argv{{"-m", "512M"}});
  CHECK(group_of(ninep, "machine").words.at(1) == "q35,usb=off");
  const auto virtiofs =
      plan_qemu(smallest_spec(), Accelerator::tcg, qemu, no_seed, {ninep_plan(), virtiofs_plan()});
  CHECK(group_of(virtiofs, "memory") ==
        Argv{{"-m", "512M", "-object", "memory-backend-memfd,id=memory,size=512M,share=on"}});
  CHECK(group_of(virtiofs, "machine").words.at(1) == "q35,usb=off,memory-backend=memory");
}

TEST_CASE("the CPU model follows the accelerator") {
  struct Row {
    std::string model;
    std::string kvm;
    std::string tcg;
  };
  const std::vector<Row> rows = {{"", "host", "max"},
                                 {"host", "host", "max"},
                                 {"host,-vmx", "host,-vmx", "max,-vmx"},
                                 {"Haswell,+x", "Haswell,+x", "Haswell,+x"},
                                 {"hostile", "hostile", "hostile"}};
  for (const auto& row : rows) {
    auto spec = smallest_spec();
    spec.cpu_model = row.model;
    const auto model = [&](Accelerator accelerator) {
      return group_of(plan_qemu(spec, accelerator, qemu, no_seed, {}), "machine").words.at(5);
    };
    CHECK(model(Accelerator::kvm) == row.kvm);
    CHECK(model(Accelerator::tcg) == row.tcg);
  }
}

TEST_CASE("direct boot") {
  auto spec = smallest_spec();
  spec.boot.kernel = "/k";
  CHECK(group_of(spec, "boot") == Argv{{"-kernel", "/k"}});
  spec.boot.cmdline = "quiet";
  CHECK(group_of(spec, "boot") == Argv{{"-kernel", "/k", "-append", "quiet"}});
  spec.boot = {"", "/i", "quiet"};
  CHECK(group_of(spec, "boot") == Argv{});
}

TEST_CASE("a disk keeps its changes only when asked") {
  auto spec = smallest_spec();
  spec.disk = Disk{"/d.img", "raw", ""};
  CHECK(group_of(spec, "disk") ==
        Argv{{"-drive",
              "if=none,id=disk,file.driver=file,file.filename=/d.img,format=raw,snapshot=on",
              "-device", "virtio-blk-pci,drive=disk"}});
  spec.disk = Disk{"/d.img", "raw", "/data/vm.qcow2"};
  CHECK(group_of(spec, "disk") ==
        Argv{{"-drive",
              "if=none,id=disk,file.driver=file,file.filename=/data/vm.qcow2,format=qcow2,"
              "backing.driver=raw,backing.file.driver=file,backing.file.filename=/d.img",
              "-device", "virtio-blk-pci,drive=disk"}});
}

TEST_CASE("every image behind a disk is named, so that no header chooses one") {
  auto spec = smallest_spec();
  spec.disk = Disk{"/top", "qcow2", ""};
  spec.disk->behind = {{"/middle", "qcow2"}, {"/raw", "raw"}};
  CHECK(group_of(spec, "disk").words.at(1) ==
        "if=none,id=disk,file.driver=file,file.filename=/top,format=qcow2,snapshot=on,"
        "backing.driver=qcow2,backing.file.driver=file,backing.file.filename=/middle,"
        "backing.backing.driver=raw,backing.backing.file.driver=file,"
        "backing.backing.file.filename=/raw");
  spec.disk->persistent = "/kept";
  spec.disk->is_copy = true;
  CHECK(group_of(spec, "disk").words.at(1) ==
        "if=none,id=disk,file.driver=file,file.filename=/kept,format=qcow2");
}

TEST_CASE("hostile paths and command lines stay what they are") {
  for (const auto& name : hostile_names()) {
    CAPTURE(name);
    auto spec = smallest_spec();
    spec.boot = {"/k/" + name, "/i/" + name, name};
    CHECK(group_of(spec, "boot") ==
          Argv{{"-kernel", "/k/" + name, "-initrd", "/i/" + name, "-append", name}});

    spec.disk = Disk{"/d/" + name, "raw", ""};
    CHECK(parse_qemu_option(group_of(spec, "disk").words.at(1)) ==
          KeyValues{{"if", "none"},
                    {"id", "disk"},
                    {"file.driver", "file"},
                    {"file.filename", "/d/" + name},
                    {"format", "raw"},
                    {"snapshot", "on"}});
    spec.disk->persistent = "/p/" + name;
    CHECK(parse_qemu_option(group_of(spec, "disk").words.at(1)) ==
          KeyValues{{"if", "none"},
                    {"id", "disk"},
                    {"file.driver", "file"},
                    {"file.filename", "/p/" + name},
                    {"format", "qcow2"},
                    {"backing.driver", "raw"},
                    {"backing.file.driver", "file"},
                    {"backing.file.filename", "/d/" + name}});

    const RuntimePaths paths = {name, "/" + name + "/seed.iso", "", "", ""};
    CHECK(parse_qemu_option(
              group_of(plan_qemu(spec, Accelerator::tcg, qemu, paths, {}), "seed").words.at(1)) ==
          KeyValues{{"if", "none"},
                    {"id", "seed"},
                    {"file.driver", "file"},
                    {"file.filename", "/" + name + "/seed.iso"},
                    {"format", "raw"},
                    {"readonly", "on"}});

    spec.extra_args = {name};
    CHECK(group_of(spec, "extra") == Argv{{name}});
  }
}

}  // namespace
}  // namespace vmr::test
