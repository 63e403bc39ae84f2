// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "base/shell_words.hpp"
#include "config/settings.hpp"
#include "config/store.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

Parsed<std::uint64_t> memory(const Text& text) {
  constexpr std::uint64_t lowest = 16;                    // MiB; less boots no guest we know
  constexpr std::uint64_t highest = 16ULL * 1024 * 1024;  // 16 TiB
  auto parsed = parse_mebibytes(text.value);
  const auto* mebibytes = std::get_if<std::uint64_t>(&parsed);
  if (mebibytes == nullptr || (*mebibytes >= lowest && *mebibytes <= highest)) return parsed;
  return Invalid{*mebibytes < lowest ? "below 16 MiB" : "above 16 TiB",
                 "MiB, or a number with a unit: 2048, 512M, 2G"};
}

Parsed<std::uint64_t> cpus(const Text& text) {
  // More need an IOMMU with interrupt remapping, or QEMU does not start.
  return parse_number(text.value, 1, 255);
}

bool is_ipv4_address(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const auto end = part < 3 ? text.find('.') : text.size();
    if (end == text.npos) return false;
    const auto digits = text.substr(0, end);
    // Some programs read 010 as 8, so a leading zero could bind another address than was meant.
    if (digits.size() > 1 && digits.front() == '0') return false;
    if (std::holds_alternative<Invalid>(parse_number(digits, 0, 255))) return false;
    text.remove_prefix(part < 3 ? end + 1 : end);
  }
  return true;
}

Parsed<SshForward> ssh_forward(const Text& text) {
  const std::string hint =
      "a port of this host, 0 to 65535 (0: no forward), or with an IPv4 address: 127.0.0.1:2222";
  const std::string_view all = text.value;
  const auto colon = all.rfind(':');
  const auto address = colon == all.npos ? std::string_view{} : all.substr(0, colon);
  const auto port = parse_number(colon == all.npos ? all : all.substr(colon + 1), 0, 65535);
  if (!address.empty() && !is_ipv4_address(address)) return Invalid{"not an IPv4 address", hint};
  if (std::holds_alternative<Invalid>(port)) return Invalid{"not a port", hint};
  return SshForward{std::string(address), static_cast<std::uint16_t>(std::get<0>(port))};
}

Parsed<std::vector<std::string>> shell_words(const Text& text) {
  if (auto words = shell_split(text.value)) return std::move(*words);
  return Invalid{"a quote or a backslash at the end is left open", "close it"};
}

Parsed<std::chrono::milliseconds> seconds(const Text& text) {
  return parse_seconds(text.value);
}

/// Some time: in none nothing can start.
Parsed<std::chrono::milliseconds> some_seconds(const Text& text) {
  auto parsed = parse_seconds(text.value);
  const auto* time = std::get_if<std::chrono::milliseconds>(&parsed);
  if (time == nullptr || time->count() > 0) return parsed;
  return Invalid{"QEMU cannot start in no time", "seconds above 0, or leave it out"};
}

Parsed<std::uint64_t> hotplug_shares(const Text& text) {
  // One PCI slot has eight functions.
  return parse_number(text.value, 0, 8);
}

Parsed<QemuUser> qemu_user(const Text& text) {
  if (text.value == "auto") return QemuUser{};
  if (text.value == "launcher") return QemuUser{QemuUser::Kind::launcher};
  const auto owner = parse_owner(text.value);
  if (const auto* ids = std::get_if<Owner>(&owner)) return QemuUser{QemuUser::Kind::given, *ids};
  return Invalid{"neither a word nor an owner",
                 "auto, launcher, or the numbers of a user and a group: 1000:1000"};
}

/// Words of StartKind, with blanks or commas between them.
Parsed<std::vector<StartKind>> start_kinds(const Text& text) {
  std::vector<StartKind> kinds;
  std::string_view rest = text.value;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(", \t"), rest.size());
    const auto name = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    if (name.empty()) continue;
    auto kind = word<StartKind>({std::string(name), text.origin});
    if (auto* invalid = std::get_if<Invalid>(&kind)) return std::move(*invalid);
    kinds.push_back(std::get<StartKind>(kind));
  }
  return kinds;
}

Parsed<Architecture> architecture(const Text& text) {
  return word<Architecture>({ascii_lower(text.value), text.origin});
}

constexpr std::array settings = std::to_array<Setting<Config>>({
    {"MEMORY", "4096", "memory of the guest in MiB, or with a unit: 512M, 2G",
     store<&Config::memory, memory>},
    {"CPUS", "2", "virtual CPUs, 1 to 255", store<&Config::cpus, cpus>},
    {"BASE_IMAGE", "",
     "disk image, or a folder with a guest.toml; none: no disk but those of EXTRA_ARGS; unset: the "
     "guest that is built in, or the one in ~/.cache/vm-runner/guest",
     store<&Config::base_image, any_text, ValueKind::path>},
    {"DISK_SIZE", "", "size of the guest's disk (not in this version yet)", refuse<Config>},
    {"KERNEL", "", "kernel to boot directly, without the disk's boot loader",
     store<&Config::kernel, any_text, ValueKind::path>},
    {"INITRD", "", "initial RAM disk for KERNEL",
     store<&Config::initrd, any_text, ValueKind::path>},
    {"CMDLINE", "", "kernel command line for KERNEL",
     store<&Config::cmdline, any_text, ValueKind::command_line>},
    {"ACCEL", "auto", "auto (KVM where it works, else TCG), kvm or tcg",
     store<&Config::accel, word<Accelerator>>},
    {"REQUIRE_KVM", "0", "fail rather than run without KVM", store<&Config::require_kvm, boolean>},
    {"CPU_MODEL", "", "QEMU's CPU model; unset: host under KVM, max under TCG",
     store<&Config::cpu_model, any_text>},
    {"MACHINE", "", "QEMU's machine type; unset: q35, or virt for aarch64",
     store<&Config::machine, any_text>},
    {"ARCH", "", "architecture of the guest: x86_64 or aarch64; unset: this machine's",
     store<&Config::arch, architecture>},
    {"GUEST_NAME", "vm", "name of the VM and host name of the guest",
     store<&Config::guest_name, any_text>},
    {"GUEST_PASSWORD", "",
     "password of the login user; when neither it nor SSH_PUBKEY is given, a random one is made "
     "and shown once",
     store<&Config::guest_password, any_text, ValueKind::password>, true},
    {"GUEST_PASSWORD_FILE", "", "file with the GUEST_PASSWORD, in place of it",
     store<&Config::guest_password_file, any_text, ValueKind::path>},
    {"SSH_PORT", "2222", "[ADDRESS:]PORT of this host for the guest's port 22; 0: none",
     store<&Config::ssh_port, ssh_forward>},
    {"NETWORK", "open",
     "open: the guest reaches what this machine reaches; restricted: nothing, and only SSH_PORT "
     "leads to it",
     store<&Config::network, word<Network>>},
    {"SSH_PUBKEY", "", "public keys that may log in, one a line",
     store<&Config::ssh_pubkey, any_text, ValueKind::keys>},
    {"PORT_FWD", "", "more forwarded ports (not in this version yet)", refuse<Config>},
    {"PERSIST", "0", "keep the guest's disk changes in DATA_DIR", store<&Config::persist, boolean>},
    {"PERSIST_BASE", "auto",
     "how a new disk of PERSIST is made: overlay needs the image at each start, copy never again; "
     "auto: copy in a container, else overlay",
     store<&Config::persist_base, word<PersistBase>>},
    {"DATA_DIR", "", "folder for what is kept",
     store<&Config::data_dir, any_text, ValueKind::path>},
    {"BACKING_DIR", "",
     "folder, beside its own, where the images behind BASE_IMAGE may be; unset: none",
     store<&Config::backing_dir, any_text, ValueKind::path>},
    {"CLOUD_INIT", "1", "give the guest a NoCloud seed, which mounts the shares",
     store<&Config::cloud_init, boolean>},
    {"CLOUD_INIT_USER_DATA", "", "file with your own cloud-init user-data, used as it is",
     store<&Config::cloud_init_user_data, any_text, ValueKind::path>},
    {"NO_CONSOLE", "0", "do not connect the terminal to the guest's console",
     store<&Config::no_console, boolean>},
    {"EXTRA_ARGS", "", "more QEMU arguments, quoted as in a shell",
     store<&Config::extra_args, shell_words>},
    {"LOG_VERBOSE", "0", "log debug messages too", store<&Config::log_verbose, boolean>},
    {"LOG_FORMAT", "text", "of the log: text, or json: an object a line",
     store<&Config::log_format, word<LogFormat>>},
    {"STOP_TIMEOUT", "",
     "seconds the guest has to power off; unset: 8 in a container, 90 otherwise",
     store<&Config::stop_timeout, seconds>},
    {"START_TIMEOUT", "",
     "seconds that QEMU may take until it answers; unset: 60 and one for each GiB of MEMORY",
     store<&Config::start_timeout, some_seconds>},
    {"ON_HELPER_EXIT", "stop", "when a virtiofsd dies: stop the machine, or keep it running",
     store<&Config::on_helper_exit, word<HelperExitPolicy>>},
    {"HOTPLUG_SHARES", "4",
     "how many shares `share add` may add while the machine runs, 0 to 8; 0 keeps the guest's "
     "memory private unless a share needs it",
     store<&Config::hotplug_shares, hotplug_shares>},
    {"QEMU_USER", "auto",
     "whom QEMU runs as: auto (a user of its own where that can be), UID:GID, or launcher (this "
     "user, and nothing is taken from QEMU or virtiofsd)",
     store<&Config::qemu_user, qemu_user>},
    {"ALLOW_UNKNOWN_IMAGES", "0",
     "take disks of EXTRA_ARGS whose headers name what is not to be opened; QEMU then has neither "
     "rules for files nor capabilities",
     store<&Config::allow_unknown_images, boolean>},
    {"ALLOW_OPEN_DATA_DIR", "0",
     "take a DATA_DIR that other users of this host may write to, who could choose the disk",
     store<&Config::allow_open_data_dir, boolean>},
    {"ALLOW_IN_SHARE", "",
     "what may be in a writable share although it decides the next start: words of config, image, "
     "kernel, user-data, arguments, data, temporary, cache, programs, source; unset: nothing",
     store<&Config::allow_in_share, start_kinds>},
});

}  // namespace

std::span<const Setting<Config>> vm_settings() {
  return settings;
}

}  // namespace vmr
