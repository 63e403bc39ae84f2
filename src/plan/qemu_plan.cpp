// SPDX-License-Identifier: MIT
#include "plan/qemu_plan.hpp"

#include "base/qemu_option.hpp"
#include "base/qemu_words.hpp"
#include "plan/qemu_img.hpp"
#include "plan/seed.hpp"
#include "plan/trial_args.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

// Where QEMU finds its listening sockets.
constexpr int qmp_fd = 3;
constexpr int console_fd = 4;
constexpr int reports_fd = 5;
constexpr int agent_fd = 6;

/// Below those of the shares, and above those that QEMU gives by itself.
constexpr std::size_t hotplug_slot = 0xf;

using Arguments = std::vector<std::string>;

bool any_virtiofs(const std::vector<SharePlan>& shares) {
  return std::any_of(shares.begin(), shares.end(),
                     [](const SharePlan& plan) { return plan.helper.has_value(); });
}

std::string cpu_model(const VmSpec& spec, Accelerator accelerator) {
  const std::string& model = spec.cpu_model;
  const bool is_host = model.empty() || model == "host" || model.starts_with("host,");
  if (!is_host) return model;
  if (accelerator == Accelerator::kvm) return model.empty() ? "host" : model;
  return "max" + (model.empty() ? "" : model.substr(4));
}

Arguments base_arguments(const VmSpec& spec) {
  return {"-nodefaults", "-no-user-config", "-display",
          "none",        "-name",           QemuOption("guest=" + spec.name).text()};
}

Arguments machine_arguments(const VmSpec& spec, Accelerator accelerator, bool shared_memory) {
  QemuOption machine(spec.machine);
  machine.set("usb", "off");
  if (shared_memory) machine.set("memory-backend", "memory");
  return {"-machine", machine.text(),
          "-accel",   std::string(word_for(accelerator)),
          "-cpu",     cpu_model(spec, accelerator),
          "-smp",     std::to_string(spec.cpus)};
}

Arguments memory_arguments(const VmSpec& spec, bool shared_memory) {
  const auto size = fmt::format("{}M", spec.memory_mib);
  Arguments arguments = {"-m", size};
  if (shared_memory) {
    arguments.insert(arguments.end(), {"-object", QemuOption("memory-backend-memfd")
                                                      .set("id", "memory")
                                                      .set("size", size)
                                                      .set("share", "on")
                                                      .text()});
  }
  return arguments;
}

Arguments boot_arguments(const Boot& boot, const std::string& firmware) {
  Arguments arguments;
  if (!firmware.empty()) arguments.insert(arguments.end(), {"-bios", firmware});
  if (boot.kernel.empty()) return arguments;
  arguments.insert(arguments.end(), {"-kernel", boot.kernel});
  if (!boot.initrd.empty()) arguments.insert(arguments.end(), {"-initrd", boot.initrd});
  if (!boot.cmdline.empty()) arguments.insert(arguments.end(), {"-append", boot.cmdline});
  return arguments;
}

Arguments disk_arguments(const std::optional<Disk>& disk) {
  if (!disk) return {};
  QemuOption drive("if=none");
  drive.set("id", "disk").set("file.driver", "file");
  if (disk->persistent.empty()) {
    // The image stays as it is: QEMU keeps the changes in a file of its own that has no name.
    drive.set("file.filename", disk->image).set("format", disk->format).set("snapshot", "on");
  } else {
    drive.set("file.filename", disk->persistent).set("format", "qcow2");
  }
  // Each by name: what a header says, which the guest may have written, opens nothing.
  auto images = images_of(*disk);
  if (disk->persistent.empty()) images.erase(images.begin());
  set_backing(drive, images);
  return {"-drive", drive.text(), "-device",
          QemuOption("virtio-blk-pci").set("drive", "disk").text()};
}

Arguments seed_arguments(const RuntimePaths& paths) {
  if (paths.seed.empty()) return {};
  return {"-drive",
          QemuOption("if=none")
              .set("id", "seed")
              .set("file.driver", "file")
              .set("file.filename", paths.seed)
              .set("format", "raw")
              .set("readonly", "on")
              .text(),
          "-device", QemuOption("virtio-blk-pci").set("drive", "seed").text()};
}

Arguments network_arguments(const SshForward& ssh, Network network) {
  QemuOption user("user");
  user.set("id", "net0");
  if (network == Network::restricted) user.set("restrict", "on");
  if (ssh.port != 0) user.set("hostfwd", fmt::format("tcp:{}:{}-:22", ssh.address, ssh.port));
  // Without a boot ROM: nothing boots from the network, and the ROM files may not be installed.
  return {
      "-netdev", user.text(), "-device",
      QemuOption("virtio-net-pci").set("netdev", "net0").set("romfile", std::string_view()).text()};
}

Arguments entropy_arguments() {
  return {"-device", "virtio-rng-pci"};
}

std::string listening_chardev(std::string_view id, int fd) {
  return QemuOption("socket")
      .set("id", id)
      .set("fd", static_cast<std::uint64_t>(fd))
      .set("server", "on")
      .set("wait", "off")
      .text();
}

Arguments console_arguments(Architecture architecture) {
  Arguments arguments = {"-chardev", listening_chardev("console", console_fd)};
  // The serial port of aarch64's machine is a part of it, not a device to add.
  if (architecture == Architecture::aarch64) {
    arguments.insert(arguments.end(), {"-serial", "chardev:console"});
  } else {
    arguments.insert(arguments.end(),
                     {"-device", QemuOption("isa-serial").set("chardev", "console").text()});
  }
  return arguments;
}

/// The ports between launcher and guest: its reports, and the guest agent's. Each of the device's
/// 31 ports would have an eventfd that QEMU polls for whatever it does, which slows shares by a
/// tenth.
Arguments port_arguments() {
  return {"-device",
          QemuOption("virtio-serial-pci").set("id", "serial").set("ioeventfd", "off").text(),
          "-chardev",
          listening_chardev("reports", reports_fd),
          "-device",
          QemuOption("virtserialport").set("chardev", "reports").set("name", report_port).text(),
          "-chardev",
          listening_chardev("agent", agent_fd),
          "-device",
          QemuOption("virtserialport")
              .set("chardev", "agent")
              .set("id", agent_device)
              .set("name", "org.qemu.guest_agent.0")
              .text()};
}

/// Tells QEMU, and it us, that the guest's kernel has panicked.
Arguments panic_arguments() {
  return {"-device", "pvpanic-pci"};
}

/// Free ports for shares that are added while the machine runs.
Arguments hotplug_arguments(const std::vector<std::string>& ports) {
  Arguments arguments;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    QemuOption port("pcie-root-port");
    port.set("id", ports[i]).set("chassis", std::uint64_t{i + 1});
    port.set("addr", fmt::format("{:#x}.{}", hotplug_slot, i));
    if (i == 0) port.set("multifunction", "on");
    arguments.insert(arguments.end(), {"-device", port.text()});
  }
  return arguments;
}

Arguments control_arguments() {
  return {"-chardev", listening_chardev("qmp", qmp_fd), "-mon",
          QemuOption("chardev=qmp").set("mode", "control").text()};
}

/// System calls that QEMU does without. Some of what the user's own arguments may ask for needs
/// them: helper programs, other users, priorities.
Arguments sandbox_arguments(const VmSpec& spec, const QemuPlan& plan) {
  const auto is_sandbox = [](const std::string& word) { return is_option(word, "sandbox"); };
  for (const auto* own : {&spec.extra_args, &spec.qemu_args}) {
    // QEMU adds a second one to the first: it could only take more away.
    if (std::any_of(own->begin(), own->end(), is_sandbox)) return {};
  }
  QemuOption sandbox("on");
  sandbox.set("obsolete", "deny");
  if (!reaches_outside(plan)) {
    sandbox.set("elevateprivileges", "deny").set("spawn", "deny").set("resourcecontrol", "deny");
  }
  return {"-sandbox", sandbox.text()};
}

}  // namespace

std::vector<std::string> hotplug_ports(const VmSpec& spec) {
  std::vector<std::string> ports;
  for (std::size_t i = 1; i <= spec.hotplug_shares; ++i)
    ports.push_back(fmt::format("hotplug{}", i));
  return ports;
}

QemuPlan plan_qemu(const VmSpec& spec, Accelerator accelerator, const std::string& qemu,
                   const RuntimePaths& paths, const std::vector<SharePlan>& shares) {
  const bool is_wanted = any_virtiofs(shares) || spec.hotplug_shares > 0;
  const bool shared_memory = is_wanted && spec.own_memory == OwnMemory::none;
  QemuPlan plan;
  plan.accelerator = accelerator;
  plan.groups = {{"base", base_arguments(spec)},
                 {"machine", machine_arguments(spec, accelerator, shared_memory)},
                 {"memory", memory_arguments(spec, shared_memory)},
                 {"boot", boot_arguments(spec.boot, spec.firmware)},
                 {"disk", disk_arguments(spec.disk)},
                 {"seed", seed_arguments(paths)},
                 {"network", network_arguments(spec.ssh, spec.network)},
                 {"entropy", entropy_arguments()},
                 {"console", console_arguments(spec.architecture)},
                 {"ports", port_arguments()},
                 {"panic", panic_arguments()},
                 {"control", control_arguments()}};
  for (const auto& share : shares) {
    plan.groups.push_back({"shares", share.qemu_arguments, share.share.number});
  }
  plan.groups.push_back({"hotplug", hotplug_arguments(hotplug_ports(spec))});
  const auto sandbox_place = plan.groups.size();
  plan.groups.push_back({std::string(extra_group), spec.extra_args});
  plan.groups.push_back({std::string(command_line_group), spec.qemu_args});
  plan.groups.insert(plan.groups.begin() + static_cast<std::ptrdiff_t>(sandbox_place),
                     {"sandbox", sandbox_arguments(spec, plan)});
  std::erase_if(plan.groups, [](const ArgumentGroup& group) { return group.arguments.empty(); });
  plan.process.name = "qemu";
  plan.process.argv = {qemu};
  for (const auto& group : plan.groups) {
    plan.process.argv.insert(plan.process.argv.end(), group.arguments.begin(),
                             group.arguments.end());
  }
  plan.process.listeners = {{qmp_fd, paths.qmp},
                            {console_fd, paths.console},
                            {reports_fd, paths.reports},
                            {agent_fd, paths.agent}};
  for (const auto& share : shares) {
    if (share.connection) plan.process.connections.push_back(*share.connection);
  }
  return plan;
}

}  // namespace vmr
