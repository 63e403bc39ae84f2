// SPDX-License-Identifier: MIT
#include "plan/extra_args.hpp"

#include "config/load.hpp"
#include "plan/launch_plan.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

const Strings virtiofs = {"FILESYSTEM3_SOURCE=/share", "MEMORY=4G", "ACCEL=tcg",
                          "SSH_PORT=127.0.0.1:2222"};

Strings warnings_of(const std::string& extra, const Strings& behind, Strings environment) {
  if (!extra.empty()) environment.push_back("EXTRA_ARGS=" + extra);
  Arguments arguments;
  arguments.qemu_args = behind;
  const auto loaded = load_config(arguments, environment, {});
  const auto host = docker_host();
  const auto resolved = resolve(loaded.config, host);
  REQUIRE(resolved.problems == std::vector<Problem>{});
  const auto plan = make_plan(resolved.spec, host);
  Strings texts;
  for (const auto& [text, is_refused] :
       find_collisions(plan.attempts.front(), loaded.config.extra_args.origin)) {
    texts.push_back(text);
    CHECK(is_refused == (text.find("QEMU refuses") != text.npos));
  }
  return texts;
}

/// The one warning of these arguments without its origin.
std::string warning_of(const std::string& extra, const Strings& environment = virtiofs) {
  const auto warnings = warnings_of(extra, {}, environment);
  if (warnings.size() != 1) return std::to_string(warnings.size()) + " warnings";
  const std::string origin = "EXTRA_ARGS (environment): ";
  CHECK(warnings.front().starts_with(origin));
  return warnings.front().substr(origin.size());
}

TEST_CASE("options that QEMU takes once") {
  const std::string machine = "'-machine q35,usb=off,memory-backend=memory'";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"-m 8G",
       "'-m 8G' and our '-m 4096M' (MEMORY): QEMU refuses any size but the shared memory's; set "
       "MEMORY instead"},
      {"--m size=8G,maxmem=16G",
       "'--m size=8G,maxmem=16G' and our '-m 4096M' (MEMORY): QEMU refuses any size but the shared "
       "memory's; set MEMORY instead"},
      {"-mem-path /x",
       "'-mem-path /x' and our " + machine +
           ": QEMU refuses it beside a memory-backend; give -object memory-backend-file,share=on "
           "and name it by -machine memory-backend=, or set HOTPLUG_SHARES=0 where no share is "
           "virtiofs"},
      {"-smp 4", "'-smp 4' and our '-smp 2' (CPUS): QEMU takes the last; set CPUS instead"},
      {"-cpu qemu64",
       "'-cpu qemu64' and our '-cpu max' (CPU_MODEL): QEMU takes the last; set CPU_MODEL instead"},
      {"-machine pc,hpet=off", "'-machine pc,hpet=off' and our " + machine +
                                   " (MACHINE): QEMU takes the last; set MACHINE instead"},
      {"-display gtk", "'-display gtk' and our '-display none': QEMU takes the last"},
      {"-add-fd fd=3,set=9",
       "'-add-fd fd=3,set=9' and our '-chardev socket,id=qmp,fd=3,server=on,wait=off': QEMU "
       "refuses "
       "descriptor 3 twice, where the launcher's socket is"},
      {"-M type=pc",
       "'-M type=pc' and our " + machine + " (MACHINE): QEMU takes the last; set MACHINE instead"},
      {"-machine accel=kvm",
       "'-machine accel=kvm' and our '-accel tcg' (ACCEL): QEMU refuses both; set ACCEL instead"},
      {"-no-reboot -enable-kvm",
       "'-enable-kvm' and our '-accel tcg' (ACCEL): QEMU refuses both; set ACCEL instead"},
      {"-accel kvm",
       "'-accel kvm' and our '-accel tcg' (ACCEL): QEMU takes the first that works; set ACCEL "
       "instead"},
      {"-name other",
       "'-name other' and our '-name guest=vm' (GUEST_NAME): QEMU takes the last; "
       "set GUEST_NAME instead"},
      {"-serial mon:stdio",
       "'-serial mon:stdio' and our '-device isa-serial,chardev=console': yours is the guest's "
       "first serial port, the console its second"},
      {"-S", "'-S': the machine waits until a monitor of yours says 'cont'"},
      {"--preconfig",
       "'--preconfig': the machine waits until a monitor of yours says 'x-exit-preconfig'"},
      {"-incoming defer", "'-incoming defer': the machine waits for the state of another one"},
      {"-readconfig vm.cfg",
       "'-readconfig vm.cfg': nobody but QEMU reads the file: what in it collides with our "
       "arguments, "
       "or leads the guest to another seed, is told of only where it stands among your arguments "
       "itself"},
      {"-no-shutdown",
       "'-no-shutdown': QEMU stays when the guest powers off, and is ended within STOP_TIMEOUT"}};
  for (const auto& [extra, warning] : rows) CHECK(warning_of(extra) == warning);
}

TEST_CASE("options that depend on what ours are") {
  CHECK(warning_of("-m 8G", {"HOTPLUG_SHARES=0"}) ==
        "'-m 8G' and our '-m 4096M' (MEMORY): QEMU takes the last; set MEMORY instead");
  CHECK(warning_of("-mem-path /x", {"HOTPLUG_SHARES=0"}) == "0 warnings");
  CHECK(
      warning_of("-append '-m 8G'", {"CMDLINE=quiet \"x\""}) ==
      "'-append -m 8G' and our '-append root=/dev/vda quiet \"x\"' (CMDLINE): QEMU takes the last; "
      "set CMDLINE instead");
  CHECK(warning_of("-kernel k2") ==
        "'-kernel k2' and our '-kernel /guest/vmlinuz' (KERNEL): QEMU takes the last; set KERNEL "
        "instead");
  CHECK(warning_of("-initrd i2") ==
        "'-initrd i2' and our '-initrd /guest/initrd' (INITRD): QEMU takes the last; set INITRD "
        "instead");
  CHECK(warning_of("-snapshot") == "0 warnings");
  const auto persistent =
      warning_of("-snapshot", {"PERSIST=1", "GUEST_PASSWORD=x", "DATA_DIR=/data"});
  CHECK(persistent.starts_with("'-snapshot' and our '-drive if=none,id=disk,file.driver=file,"));
  CHECK(persistent.ends_with(
      "format=qcow2' (PERSIST): QEMU drops what the guest writes; set PERSIST instead"));
}

TEST_CASE("a device without the controller that it needs is told which") {
  const auto missing = [](const std::string& device, const std::string& kind,
                          const std::string& remedy) {
    return "'-device " + device + "': QEMU refuses it: the machine has no " + kind +
           " controller; put '-device " + remedy + "' before it";
  };
  CHECK(warning_of("-device usb-tablet") == missing("usb-tablet", "USB", "qemu-xhci"));
  CHECK(warning_of("-device u2f-passthru") == missing("u2f-passthru", "USB", "qemu-xhci"));
  CHECK(warning_of("-device usb-host,hostbus=1,hostaddr=2 -device qemu-xhci") ==
        missing("usb-host,hostbus=1,hostaddr=2", "USB", "qemu-xhci"));
  CHECK(warning_of("-device '{\"driver\":\"usb-kbd\"}'") ==
        missing("{\"driver\":\"usb-kbd\"}", "USB", "qemu-xhci"));
  CHECK(warning_of("-device scsi-hd,drive=d") ==
        missing("scsi-hd,drive=d", "SCSI", "virtio-scsi-pci"));
  CHECK(warning_of("-device hda-duplex") == missing("hda-duplex", "HDA", "intel-hda"));
  CHECK(warning_of("-device nvme-ns,drive=d") == missing("nvme-ns,drive=d", "NVMe", "nvme"));
  const Strings complete = {"-device qemu-xhci -device usb-tablet",
                            "-device ich9-usb-ehci1,id=e -device usb-kbd,bus=e.0",
                            "-device pci-ohci -device usb-kbd",
                            "-usb -device usb-kbd",
                            "-machine usb=on -device usb-kbd",
                            "-usbdevice tablet -device usb-kbd",
                            "-device virtio-scsi-pci,id=s -device scsi-hd,bus=s.0,drive=d",
                            "-device usb-uas -device scsi-hd,drive=d"};
  for (const auto& extra : complete) {
    INFO(extra);
    CHECK(warning_of(extra) == (extra.starts_with("-device usb-uas")
                                    ? missing("usb-uas", "USB", "qemu-xhci")
                                    : "0 warnings"));
  }
}

TEST_CASE("names of libvirt's that nothing here has") {
  CHECK(warning_of("-set device.virtio-disk0.serial=x") ==
        "'-set device.virtio-disk0.serial=x': QEMU refuses it: there is no -device 'virtio-disk0' "
        "before it, which is a name of libvirt's if you have it from there; '-global "
        "DRIVER.PROPERTY=VALUE' needs no id");
  CHECK(warning_of("-set drive.disk.cache=none -set device.serial.max_ports=4") == "0 warnings");
  for (const std::string& value :
       Strings{"nonsense", "device.serial=1.5", "device.serial.max_ports", "device.serial.=4"}) {
    INFO(value);
    CHECK(warning_of("-set " + value) ==
          "'-set " + value + "': QEMU refuses it: it is not GROUP.ID.KEY=VALUE");
  }
  CHECK(warning_of("-device virtio-rng-pci,bus=pci.1,addr=0") ==
        "'-device virtio-rng-pci,bus=pci.1,addr=0': QEMU refuses it: there is no bus 'pci.1' here, "
        "which is a name of libvirt's if you have it from there; leave bus and addr out, or make "
        "it: '-device pcie-root-port,id=pci.1'");
  CHECK(warning_of("-device usb-kbd,bus=usb.0") ==
        "'-device usb-kbd,bus=usb.0': QEMU refuses it: there is no bus 'usb.0' here, which is a "
        "name of libvirt's if you have it from there; leave bus and addr out, or make it: "
        "'-device CONTROLLER,id=usb'");
  for (const auto* extra :
       {"-device pcie-root-port,id=pci.1,chassis=9 -device virtio-rng-pci,bus=pci.1",
        "-device virtio-rng-pci,bus=pcie.0", "-device virtio-rng-pci,bus=hotplug1",
        "-device virtserialport,bus=serial.0,name=x", "-device ide-hd,bus=ide.1,drive=d"}) {
    CHECK(warning_of(extra) == "0 warnings");
  }
  CHECK(warning_of("-device virtio-rng-pci,bus=pci.0", {"MACHINE=pc", "SSH_PORT=0"}) ==
        "0 warnings");
}

TEST_CASE("chassis and slot of our ports are taken") {
  const auto taken = [](const std::string& port, const std::string& place,
                        const std::string& ours) {
    return "'-device " + port + "' and our '-device pcie-root-port," + ours +
           "' (HOTPLUG_SHARES): QEMU refuses a second port with " + place +
           "; give yours another chassis; set HOTPLUG_SHARES instead";
  };
  CHECK(warning_of("-device pcie-root-port,id=a,chassis=1") ==
        taken("pcie-root-port,id=a,chassis=1", "chassis 1, slot 0",
              "id=hotplug1,chassis=1,addr=0xf.0,multifunction=on"));
  CHECK(warning_of("-device ioh3420,id=a,chassis=0x2,slot=0") ==
        taken("ioh3420,id=a,chassis=0x2,slot=0", "chassis 2, slot 0",
              "id=hotplug2,chassis=2,addr=0xf.1"));
  CHECK(warning_of("-device pcie-root-port,id=a") == "0 warnings");
  CHECK(warning_of("-device pcie-root-port,id=a,chassis=1,slot=1") == "0 warnings");
  CHECK(warning_of("-device pcie-root-port,id=a,chassis=1", {"HOTPLUG_SHARES=0"}) == "0 warnings");
}

TEST_CASE("virtiofs has no legacy form") {
  const auto warning = warning_of("-global virtio-pci.disable-modern=on");
  CHECK(
      warning.starts_with("'-global virtio-pci.disable-modern=on' and our '-device "
                          "vhost-user-fs-pci,"));
  CHECK(
      warning.ends_with("QEMU refuses it, as virtiofs has no legacy form; name the devices that "
                        "are to have one instead of all, or use FILESYSTEM_DRIVER=9p"));
  CHECK(warning_of("-global driver=virtio-pci,property=disable-modern,value=on") != "0 warnings");
  CHECK(warning_of("-global virtio-pci.disable-modern=on", {"SSH_PORT=0"}) == "0 warnings");
}

TEST_CASE("names that ours have already") {
  const std::string share =
      "'-device vhost-user-fs-pci,chardev=share3,tag=share,queue-size=1024,"
      "addr=0x10.0,multifunction=on'";
  const std::string serial = "'-device virtio-serial-pci,id=serial,ioeventfd=off'";
  const std::string no_device = "QEMU refuses a second device 'serial'; choose another id";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"-device virtio-rng-pci,id=serial",
       "'-device virtio-rng-pci,id=serial' and our " + serial + ": " + no_device},
      {"--device virtio-rng-pci,id=serial",
       "'--device virtio-rng-pci,id=serial' and our " + serial + ": " + no_device},
      {R"(-device '{"driver":"virtio-rng-pci", "id":"serial"}')",
       R"('-device {"driver":"virtio-rng-pci", "id":"serial"}' and our )" + serial + ": " +
           no_device},
      {"-object memory-backend-ram,id=memory,size=64M",
       "'-object memory-backend-ram,id=memory,size=64M' and our '-object "
       "memory-backend-memfd,id=memory,size=4096M,share=on': QEMU refuses a second object "
       "'memory'; choose another id"},
      {R"(-object '{"qom-type":"rng-random","id":"memory"}')",
       R"('-object {"qom-type":"rng-random","id":"memory"}' and our '-object )"
       "memory-backend-memfd,id=memory,size=4096M,share=on': QEMU refuses a second object "
       "'memory'; choose another id"},
      {"-chardev null,id=qmp",
       "'-chardev null,id=qmp' and our '-chardev socket,id=qmp,fd=3,server=on,wait=off': QEMU "
       "refuses a second chardev 'qmp'; choose another id"},
      {"-mon chardev=console,mode=control",
       "'-mon chardev=console,mode=control' and our '-device isa-serial,chardev=console': QEMU "
       "gives the chardev 'console' to one device only; make one of your own"},
      {"-netdev user,id=net0",
       "'-netdev user,id=net0' and our '-netdev user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22': "
       "QEMU refuses a second netdev 'net0'; choose another id"},
      {"-nic user,hostfwd=tcp::8080-:80,hostfwd=tcp::2222-:2222",
       "'-nic user,hostfwd=tcp::8080-:80,hostfwd=tcp::2222-:2222' and our '-netdev "
       "user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22' (SSH_PORT): QEMU cannot listen at tcp port "
       "2222 twice; set SSH_PORT instead"},
      {"-device virtio-9p-pci,fsdev=f,mount_tag=share",
       "'-device virtio-9p-pci,fsdev=f,mount_tag=share' and our " + share +
           " (FILESYSTEM3_TARGET): QEMU takes both, and the guest finds one share 'share' only; "
           "set FILESYSTEM3_TARGET instead"},
      {"-device virtio-rng-pci,addr=10",
       "'-device virtio-rng-pci,addr=10' and our " + share +
           ": QEMU refuses a second device at 0x10.0; leave addr out"},
      {"-device virtio-rng-pci,addr=0xf.1",
       "'-device virtio-rng-pci,addr=0xf.1' and our '-device "
       "pcie-root-port,id=hotplug2,chassis=2,addr=0xf.1' (HOTPLUG_SHARES): QEMU refuses a second "
       "device at 0xf.1; leave addr out; set HOTPLUG_SHARES instead"},
      {"-device virtserialport,name=org.qemu.guest_agent.0,chardev=x",
       "'-device virtserialport,name=org.qemu.guest_agent.0,chardev=x' and our '-device "
       "virtserialport,chardev=agent,id=agent,name=org.qemu.guest_agent.0': QEMU refuses a second "
       "port 'org.qemu.guest_agent.0'"}};
  for (const auto& [extra, warning] : rows) CHECK(warning_of(extra) == warning);
  const auto drive = warning_of("-blockdev null-co,node-name=disk");
  CHECK(drive.starts_with("'-blockdev null-co,node-name=disk' and our '-drive if=none,id=disk,"));
  CHECK(drive.ends_with(": QEMU refuses a second drive 'disk'; choose another id"));
}

TEST_CASE("the ids of a 9p share") {
  const Strings ninep = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"};
  const auto fsdev = warning_of("-fsdev local,id=share1,path=/x,security_model=none", ninep);
  CHECK(fsdev.ends_with(": QEMU refuses a second fsdev 'share1'; choose another id"));
  const auto short_form = warning_of("-virtfs local,path=/x,mount_tag=share1", ninep);
  CHECK(short_form.ends_with(": QEMU refuses a second fsdev 'share1'; choose another id"));
}

TEST_CASE("arguments that go with ours") {
  for (const std::string harmless : {"-device virtio-balloon-pci,id=own",
                                     "-chardev null,id=serial",
                                     "-m slots=2,maxmem=8G",
                                     "-smp maxcpus=4",
                                     "-machine hpet=off",
                                     "-machine usb=on",
                                     "-name process=x",
                                     "-accel tcg",
                                     "-cpu max",
                                     "-nographic",
                                     "-netdev user,id=n,hostfwd=tcp:192.168.1.1:2222-:22",
                                     "-netdev user,id=n,hostfwd=udp::2222-:22",
                                     "-device virtio-rng-pci,addr=0x10.7",
                                     "-device virtio-rng-pci,addr=0x10.0,bus=hotplug1",
                                     "-device virtio-rng-pci,addr=x",
                                     "-device virtio-rng-pci,addr=1.x",
                                     "-kernel /guest/vmlinuz",
                                     "-bios /b",
                                     "-no-reboot",
                                     "-object rng-random,id=console",
                                     "-device",
                                     "-m",
                                     "serial",
                                     "",
                                     R"(-device '{"id":')"}) {
    CAPTURE(harmless);
    CHECK(warnings_of(harmless, {},
                      {"FILESYSTEM3_SOURCE=/share", "ACCEL=tcg", "SSH_PORT=127.0.0.1:2222"}) ==
          Strings{});
  }
}

TEST_CASE("each of the user's words is told with where it came from") {
  CHECK(
      Argv{warnings_of("-smp 4 -S", {"-smp", "8", "-device", "virtio-rng-pci,id=serial"},
                       virtiofs)} ==
      Argv{{"EXTRA_ARGS (environment): '-smp 4' and our '-smp 2' (CPUS): QEMU takes the last; set "
            "CPUS instead",
            "EXTRA_ARGS (environment): '-S': the machine waits until a monitor of yours says "
            "'cont'",
            "behind -- (command line): '-smp 8' and our '-smp 2' (CPUS): QEMU takes the last; "
            "set CPUS instead",
            "behind -- (command line): '-device virtio-rng-pci,id=serial' and our '-device "
            "virtio-serial-pci,id=serial,ioeventfd=off': QEMU refuses a second device 'serial'; "
            "choose another "
            "id"}});
}

TEST_CASE("QEMU must not leave the launcher") {
  const std::string hint =
      "leave it out; to have the terminal back, start vm-runner itself in the background";
  const std::string reason = ": with '-daemonize' QEMU would leave vm-runner, which looks after it";
  for (const std::string words : {"-daemonize", "-no-reboot --daemonize -m 1G"}) {
    CHECK(judge({"EXTRA_ARGS=" + words}, docker_host()) ==
          Verdict{{{"EXTRA_ARGS" + reason, "EXTRA_ARGS (environment)", hint}}, {}});
  }
  Arguments arguments;
  arguments.qemu_args = {"-daemonize"};
  const auto config = load_config(arguments, {}, {}).config;
  CHECK(resolve(config, docker_host()).problems ==
        std::vector<Problem>{{"QEMU arguments" + reason, "behind -- (command line)", hint}});
  CHECK(judge({"EXTRA_ARGS=-append -daemonize"}, docker_host()) == Verdict{});
}

}  // namespace
}  // namespace vmr::test
