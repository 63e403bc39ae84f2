// SPDX-License-Identifier: MIT
// What QEMU's options touch outside QEMU, by their names.
#pragma once

#include <array>
#include <string_view>

namespace vmr {

using Names = std::string_view;

/// Options that touch something outside, whatever their value is.
inline constexpr std::array touching =
    std::to_array<Names>({"D",          "add-fd",       "async-teardown",
                          "audio",      "audiodev",     "blockdev",
                          "cdrom",      "chardev",      "chroot",
                          "d",          "debugcon",     "display",
                          "drive",      "dump-vmstate", "fda",
                          "fdb",        "fsdev",        "gdb",
                          "hda",        "hdb",          "hdc",
                          "hdd",        "incoming",     "loadvm",
                          "mem-path",   "mon",          "monitor",
                          "mtdblock",   "net",          "netdev",
                          "nic",        "parallel",     "pflash",
                          "pidfile",    "plugin",       "qmp",
                          "qmp-pretty", "qtest",        "qtest-log",
                          "readconfig", "run-with",     "runas",
                          "sd",         "serial",       "set",
                          "spice",      "tpmdev",       "trace",
                          "usbdevice",  "user",         "virtfs",
                          "vnc",        "writeconfig",  "xen-attach",
                          "xen-domid"});

/// The same of options that have no value. With -preconfig QEMU would not come to the others.
inline constexpr std::array touching_flags =
    std::to_array<Names>({"curses", "daemonize", "gtk", "jitdump", "mem-prealloc", "nographic",
                          "perfmap", "preconfig", "s", "sdl"});

/// Options of disks: most of them would be opened to write.
inline constexpr std::array disks =
    std::to_array<Names>({"blockdev", "cdrom", "drive", "fda", "fdb", "hda", "hdb", "hdc", "hdd",
                          "mtdblock", "pflash", "sd"});

/// What takes all memory, runs what it names, or leaves nobody to ask; and a file whose names are
/// not known here.
inline constexpr std::array unbearable = std::to_array<Names>(
    {"daemonize", "mem-prealloc", "plugin", "preconfig", "qtest", "readconfig"});

/// Options with which the others mean something else.
inline constexpr std::array rewriting = std::to_array<Names>({"readconfig", "set"});

/// Options whose value "help" lists something and touches nothing.
inline constexpr std::array listing =
    std::to_array<Names>({"audiodev", "chardev", "d", "display", "netdev", "tpmdev", "trace"});

/// How the names of devices and objects begin that reach outside by themselves.
inline constexpr std::array touching_kinds = std::to_array<Names>({"AC97",
                                                                   "ES1370",
                                                                   "adlib",
                                                                   "can-host",
                                                                   "ccid-card-",
                                                                   "colo-compare",
                                                                   "cryptodev-",
                                                                   "cs4231a",
                                                                   "dbus-",
                                                                   "filter-",
                                                                   "gus",
                                                                   "hda-",
                                                                   "input-",
                                                                   "iommufd",
                                                                   "ivshmem",
                                                                   "memory-backend-epc",
                                                                   "memory-backend-file",
                                                                   "memory-backend-shm",
                                                                   "pr-manager-",
                                                                   "qtest",
                                                                   "rng-egd",
                                                                   "sb16",
                                                                   "secret_keyring",
                                                                   "sev-",
                                                                   "tdx-",
                                                                   "tls-creds-",
                                                                   "tpm-",
                                                                   "u2f-",
                                                                   "usb-audio",
                                                                   "usb-braille",
                                                                   "usb-host",
                                                                   "usb-mtp",
                                                                   "vfio-",
                                                                   "vhost-",
                                                                   "virtio-gpu-gl",
                                                                   "virtio-gpu-rutabaga",
                                                                   "virtio-input-host",
                                                                   "virtio-snd",
                                                                   "virtio-sound",
                                                                   "virtio-vga-gl",
                                                                   "virtio-vga-rutabaga",
                                                                   "x-remote-",
                                                                   "x-vfio-"});

/// First words with which an option that touches something opens nothing outside all the same.
struct ClosedKind {
  std::string_view option;
  std::string_view kind;
};
inline constexpr std::array closed_kinds = std::to_array<ClosedKind>({{"audio", "none"},
                                                                      {"audiodev", "none"},
                                                                      {"chardev", "memory"},
                                                                      {"chardev", "null"},
                                                                      {"chardev", "ringbuf"},
                                                                      {"display", "none"},
                                                                      {"monitor", "none"},
                                                                      {"monitor", "null"},
                                                                      {"net", "nic"},
                                                                      {"net", "none"},
                                                                      {"nic", "none"},
                                                                      {"parallel", "none"},
                                                                      {"parallel", "null"},
                                                                      {"serial", "none"},
                                                                      {"serial", "null"},
                                                                      {"vnc", "none"}});

/// Keys with which an option does.
struct TouchingKey {
  std::string_view option;
  std::string_view key;
};
inline constexpr std::array touching_keys =
    std::to_array<TouchingKey>({{"machine", "dumpdtb"},
                                {"M", "dumpdtb"},
                                {"icount", "rr"},
                                {"object", "prealloc"},
                                {"overcommit", "mem-lock"}});

/// Options that name a file to read.
inline constexpr std::array reading = std::to_array<Names>(
    {"L", "acpitable", "bios", "dtb", "igvm", "initrd", "kernel", "option-rom", "shim"});
/// Options whose value is text for the guest, be it like a path.
inline constexpr std::array plain_text =
    std::to_array<Names>({"append", "name", "uuid", "prom-env"});
/// Keys that name a file, and how the names of others that do end.
inline constexpr std::array reading_keys =
    std::to_array<Names>({"bios", "dtb", "firmware", "initrd", "kernel", "splash"});
inline constexpr std::array reading_ends =
    std::to_array<Names>({"file", "filename", "path", "dir"});

}  // namespace vmr
