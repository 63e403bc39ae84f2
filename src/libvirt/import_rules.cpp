// SPDX-License-Identifier: MIT
#include "libvirt/import_rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmr {
namespace {

/// An attribute and its value; the value of the empty attribute is the element's text.
using Condition = std::pair<std::string_view, std::string_view>;

struct ImpliedElement {
  std::string_view path;  ///< "*/address": wherever the element is
  Condition first;        ///< an empty pair is none
  Condition second;
};

constexpr std::array implied_elements = std::to_array<ImpliedElement>({
    {"domain/uuid", {}, {}},
    {"domain/title", {}, {}},
    {"domain/description", {}, {}},
    {"domain/metadata", {}, {}},
    {"domain/on_poweroff", {"", "destroy"}, {}},
    {"domain/on_reboot", {"", "restart"}, {}},
    {"domain/on_crash", {"", "destroy"}, {}},
    {"domain/resource/partition", {"", "/machine"}, {}},
    {"domain/seclabel", {"type", "none"}, {}},
    {"domain/memoryBacking/source", {"type", "memfd"}, {}},
    {"domain/memoryBacking/access", {"mode", "shared"}, {}},
    {"domain/memoryBacking/allocation", {"mode", "ondemand"}, {}},
    {"domain/features/acpi", {}, {}},
    {"domain/features/pae", {}, {}},
    {"domain/os/smbios", {"mode", "emulate"}, {}},
    {"domain/features/gic", {}, {}},
    {"domain/features/vmport", {"state", "off"}, {}},
    {"domain/os/bootmenu", {"enable", "no"}, {}},
    {"domain/clock/timer", {"name", "rtc"}, {"tickpolicy", "catchup"}},
    {"domain/clock/timer", {"name", "pit"}, {"tickpolicy", "delay"}},
    {"domain/pm/suspend-to-mem", {"enabled", "no"}, {}},
    {"domain/pm/suspend-to-disk", {"enabled", "no"}, {}},
    {"domain/devices/emulator", {}, {}},
    {"domain/devices/controller", {"type", "pci"}, {}},
    {"domain/devices/controller", {"type", "virtio-serial"}, {}},
    {"domain/devices/controller", {"type", "sata"}, {}},
    {"domain/devices/controller", {"type", "ide"}, {}},
    {"domain/devices/controller", {"type", "fdc"}, {}},
    {"domain/devices/controller", {"type", "scsi"}, {"model", "virtio-scsi"}},
    {"domain/devices/input", {"type", "mouse"}, {"bus", "ps2"}},
    {"domain/devices/input", {"type", "keyboard"}, {"bus", "ps2"}},
    {"domain/devices/memballoon", {"model", "none"}, {}},
    {"domain/devices/rng/backend", {"model", "random"}, {}},
    {"domain/devices/panic", {"model", "isa"}, {}},
    {"domain/devices/panic", {"model", "pvpanic"}, {}},
    {"domain/devices/audio", {"type", "none"}, {}},
    {"domain/devices/watchdog", {"model", "itco"}, {"action", "reset"}},
    {"domain/devices/disk/backingStore", {}, {}},
    {"*/address", {}, {}},
    {"*/alias", {}, {}},
});

struct ImpliedAttribute {
  std::string_view path;
  std::string_view name;
  std::string_view value;  ///< empty: any
};

constexpr std::array implied_attributes = std::to_array<ImpliedAttribute>({
    {"domain", "id", ""},
    {"domain/vcpu", "placement", "static"},
    {"domain/cpu", "match", "exact"},
    {"domain/cpu", "check", "none"},
    {"domain/cpu", "check", "partial"},
    {"domain/cpu", "migratable", ""},
    {"domain/clock", "offset", "utc"},
    {"domain/devices/disk/source", "index", ""},
    {"domain/devices/interface/source", "portid", ""},
    {"domain/devices/rng", "model", "virtio"},
});

constexpr std::array<std::string_view, 8> frames = {
    "domain/features", "domain/features/apic", "domain/memoryBacking", "domain/clock",
    "domain/pm",       "domain/resource",      "domain/devices/rng",   "domain/os"};

constexpr std::string_view no_display =
    "the machine has no display, only its serial console; devices of QEMU's go into EXTRA_ARGS";
constexpr std::string_view of_the_host =
    "a device of the host is given to QEMU in EXTRA_ARGS (-device vfio-pci,host=…; of USB: -device "
    "qemu-xhci -device usb-host,vendorid=…,productid=…)";
constexpr std::string_view tuning =
    "run vm-runner itself in such limits: under systemd-run or numactl, or in a container";
constexpr std::string_view firmware =
    "the disk's boot loader is started by QEMU's BIOS (aarch64: UEFI); for UEFI put '-drive "
    "if=pflash,…' with its files into EXTRA_ARGS";

constexpr std::string_view of_base_image = "the disk of BASE_IMAGE has QEMU's own default there";

constexpr std::array reasons = std::to_array<Reason>({
    {"domain/maxMemory", "memory cannot be added while the machine runs; set MEMORY to all of it"},
    {"domain/vcpu@cpuset", tuning},
    {"domain/vcpu@placement", tuning},
    {"domain/vcpus", "every CPU is there from the start; set CPUS", NoteWeight::matters},
    {"domain/cpu/topology", "put '-smp' with sockets, cores and threads into EXTRA_ARGS"},
    {"domain/cpu/numa", "the memory is one piece; NUMA nodes need '-numa' in EXTRA_ARGS"},
    {"domain/cpu/feature", "not a feature with a policy that CPU_MODEL can have",
     NoteWeight::matters},
    {"domain/cputune", tuning},
    {"domain/numatune", tuning},
    {"domain/blkiotune", tuning},
    {"domain/memtune", tuning},
    {"domain/resource/partition", tuning},
    {"domain/iothreads", "QEMU's main thread does the work of the disks"},
    {"domain/devices/disk/driver@iothread", "QEMU's main thread does the work of the disks"},
    {"domain/memoryBacking/hugepages",
     "use transparent huge pages, or give memory of hugetlbfs in EXTRA_ARGS"},
    {"domain/memoryBacking/locked", "put '-overcommit mem-lock=on' into EXTRA_ARGS"},
    {"domain/memoryBacking/source", "memory that is shared is a memfd here, never a file"},
    {"domain/seclabel",
     "run vm-runner as the user, or under the AppArmor or SELinux label, that QEMU is to have"},
    {"domain/os@firmware", firmware, NoteWeight::stops},
    {"domain/os/firmware", firmware, NoteWeight::stops},
    {"domain/os/loader", firmware, NoteWeight::stops},
    {"domain/os/nvram", firmware, NoteWeight::stops},
    {"domain/os/type@arch", "neither x86_64 nor aarch64; set ARCH", NoteWeight::stops},
    {"domain/os/type@machine", "not a name of a machine type; set MACHINE", NoteWeight::matters},
    {"domain/os/dtb", "put '-dtb FILE' into EXTRA_ARGS"},
    {"domain/os/boot", "the machine starts from its kernel, disks and discs only",
     NoteWeight::matters},
    {"domain/devices/disk/boot", "the machine starts from BASE_IMAGE before any other disk"},
    {"domain/devices/interface/boot", "the machine does not start from the network",
     NoteWeight::matters},
    {"domain/devices/filesystem/boot", "the machine does not start from a share",
     NoteWeight::matters},
    {"domain/sysinfo", "put '-smbios' or '-fw_cfg' into EXTRA_ARGS"},
    {"domain/os/smbios", "put '-smbios' into EXTRA_ARGS"},
    {"domain/launchSecurity", "memory is not encrypted; vm-runner shares it with its helpers",
     NoteWeight::matters},
    {"domain/on_poweroff", "when the guest powers off, the launcher ends"},
    {"domain/on_reboot",
     "when the guest restarts, so does the machine; put '-no-reboot' into EXTRA_ARGS to end it"},
    {"domain/on_crash",
     "when the guest's kernel panics, the machine ends; a service can restart it"},
    {"domain/pm/suspend-to-mem",
     "QEMU's default is used; put '-global ICH9-LPC.disable_s3=0' "
     "into EXTRA_ARGS to allow it"},
    {"domain/features/hyperv", "put its features into CPU_MODEL (host,hv_relaxed=on,…)"},
    {"domain/features/kvm", "put its features into CPU_MODEL (host,kvm=off)"},
    {"domain/clock@offset", "put '-rtc base=…' into EXTRA_ARGS"},
    {"domain/clock/timer", "QEMU's defaults of its timers are used"},
    {"domain/devices/graphics", no_display},
    {"domain/devices/video", no_display},
    {"domain/devices/sound", no_display},
    {"domain/devices/audio", no_display},
    {"domain/devices/input", no_display},
    {"domain/devices/redirdev", no_display},
    {"domain/devices/smartcard", "there is no such device; put it into EXTRA_ARGS"},
    {"domain/devices/hub", "there is no USB; put its devices into EXTRA_ARGS"},
    {"domain/devices/tpm", "start swtpm and put '-tpmdev emulator,…' into EXTRA_ARGS",
     NoteWeight::matters},
    {"domain/devices/hostdev", of_the_host, NoteWeight::matters},
    {"domain/devices/memballoon",
     "there is no balloon, since nothing here would move it; 'virtio-balloon-pci' may go into "
     "EXTRA_ARGS"},
    {"domain/devices/watchdog", "put '-device i6300esb' and '-action watchdog=…' into EXTRA_ARGS"},
    {"domain/devices/vsock", "put '-device vhost-vsock-pci,guest-cid=…' into EXTRA_ARGS",
     NoteWeight::matters},
    {"domain/devices/channel",
     "the channels of the launcher are its own and the guest agent's; others go into EXTRA_ARGS"},
    {"domain/devices/console", "the launcher has one console, the serial port"},
    {"domain/devices/rng/rate", "the guest's random numbers are not limited"},
    {"domain/devices/rng/backend", "the guest's random numbers are this host's own"},
    {"domain/devices/disk/driver@cache", of_base_image},
    {"domain/devices/disk/driver@io", of_base_image},
    {"domain/devices/disk/driver@discard", of_base_image},
    {"domain/devices/disk/driver@detect_zeroes", of_base_image},
    {"domain/devices/disk/serial", of_base_image},
    {"domain/devices/disk/iotune", tuning},
    {"domain/devices/disk/shareable", "two machines never write to one disk here",
     NoteWeight::matters},
    {"domain/devices/interface",
     "only <interface type='user'> and type='bridge' can be; for a network of libvirt's name its "
     "bridge (virsh net-info NETWORK)",
     NoteWeight::matters},
    {"domain/devices/interface/portForward",
     "only one port, to the guest's 22 by TCP and IPv4, can be forwarded (SSH_PORT)",
     NoteWeight::matters},
    {"domain/devices/interface/mac@address", "not a MAC address"},
    {"domain/devices/interface/backend", "QEMU's own user network is used"},
    {"domain/devices/interface/bandwidth", "limit the traffic on the host (tc)"},
    {"domain/devices/interface/filterref", "filter the traffic on the host (nftables)"},
    {"domain/devices/filesystem/idmap",
     "set FILESYSTEM_OWNER=UID:GID for one owner of all that the guest makes, or start vm-runner "
     "in a user namespace",
     NoteWeight::matters},
    {"domain/devices/filesystem/binary@path",
     "virtiofsd is found as libvirt finds it, by the files of /etc/qemu/vhost-user"},
    {"domain/devices/filesystem/binary/lock", "the guest's locks are its own"},
    {"domain/devices/filesystem/binary/openfiles",
     "virtiofsd may open as many files as the limit of vm-runner itself (ulimit -Hn)"},
    {"domain/devices/filesystem/space_hard_limit", "use a quota of the host's file system"},
    {"domain/devices/filesystem/space_soft_limit", "use a quota of the host's file system"},
});

bool fits(const Condition& condition, const DomainElement& element) {
  if (condition.second.empty()) return true;
  const auto value =
      condition.first.empty() ? std::string_view(element.text) : peek(element, condition.first);
  return value == condition.second;
}

bool fits(std::string_view pattern, std::string_view path) {
  return pattern.starts_with('*') ? path.ends_with(pattern.substr(1)) : path == pattern;
}

}  // namespace

bool is_implied(std::string_view path, const DomainElement& element) {
  return std::any_of(implied_elements.begin(), implied_elements.end(), [&](const auto& rule) {
    return fits(rule.path, path) && fits(rule.first, element) && fits(rule.second, element);
  });
}

bool is_only_a_frame(std::string_view path) {
  return std::find(frames.begin(), frames.end(), path) != frames.end();
}

bool is_implied(std::string_view path, const DomainAttribute& attribute) {
  // Namespaces are only names.
  if (attribute.name == "xmlns" || attribute.name.starts_with("xmlns:")) return true;
  return std::any_of(implied_attributes.begin(), implied_attributes.end(), [&](const auto& rule) {
    return rule.path == path && rule.name == attribute.name &&
           (rule.value.empty() || rule.value == attribute.value);
  });
}

Reason reason_for(std::string_view path) {
  const auto* reason = std::find_if(reasons.begin(), reasons.end(),
                                    [&](const Reason& row) { return row.path == path; });
  if (reason != reasons.end()) return *reason;
  return {{}, "there is no setting for it; where QEMU has an argument for it, use EXTRA_ARGS"};
}

}  // namespace vmr
