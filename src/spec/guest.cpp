// SPDX-License-Identifier: MIT
#include "spec/guest.hpp"

#include "base/paths.hpp"
#include "base/qemu_words.hpp"
#include "spec/boot_files.hpp"
#include "spec/given_path.hpp"
#include "spec/password.hpp"
#include "spec/public_keys.hpp"
#include "spec/second_seed.hpp"
#include "spec/user_data.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

std::string resolve_file(const Given<std::string>& given, const Host& host, Findings& findings) {
  if (given.value.empty()) return {};
  const auto path = absolute_path(given.value, host.home, host.working_folder);
  const auto& facts = facts_of(path, host);
  if (facts.kind == FileFacts::Kind::missing) {
    if (!refuse_wrapped(given, findings)) {
      findings.refuse(given, "no such file", "correct the path");
    }
  } else if (facts.kind != FileFacts::Kind::regular) {
    findings.refuse(given, "not a regular file", "name the file itself");
  } else if (!facts.readable) {
    findings.refuse(given, "the file cannot be read by this user",
                    "change its owner or mode, or run as its owner", ExitStatus::host_unsupported);
  }
  return path;
}

/// By what they are; where they are is checked.
void check_boot_files(const Config& config, const Host& host, const GuestImage& guest,
                      const Boot& boot, Findings& findings) {
  if (boot.kernel.empty()) return;
  const auto arch =
      config.arch.value == Architecture::automatic ? host.architecture : config.arch.value;
  const auto& kernel = facts_of(boot.kernel, host).contents;
  if (const auto wrong = check_kernel(boot.kernel, kernel, arch)) {
    refuse_file(config.kernel, "kernel", boot.kernel,
                config.kernel.value.empty() ? guest.kernel_origin : "", *wrong, findings);
  }
  if (boot.initrd.empty()) return;
  const auto& initrd = facts_of(boot.initrd, host).contents;
  if (const auto wrong = check_initrd(boot.initrd, initrd, kernel)) {
    refuse_file(config.initrd, "initrd", boot.initrd,
                config.initrd.value.empty() ? guest.initrd_origin : "", *wrong, findings);
  }
}

std::vector<std::string> resolve_ssh_keys(const Given<std::string>& given, Findings& findings) {
  auto [keys, faults] = read_public_keys(given.value);
  for (auto& [line, reason, hint] : faults) {
    // The value itself stays out of the message: it may be a private key pasted by mistake.
    const auto place = line == 0 ? std::string() : fmt::format("line {} ", line);
    findings.problems.push_back({fmt::format("{}: {}{}", given.origin.variable, place, reason),
                                 describe(given.origin), std::move(hint)});
  }
  return std::move(keys);
}

/// Whether QEMU's arguments have something that a machine starts from.
bool brings_a_guest(const std::vector<std::string>& words) {
  // A word that is no option's is a disk to QEMU.
  constexpr std::array<std::string_view, 15> options = {
      "",       "drive", "blockdev", "hda", "hdb",    "hdc",      "hdd",   "cdrom",
      "pflash", "fda",   "fdb",      "sd",  "kernel", "incoming", "loadvm"};
  const auto found = split_options(words);
  return std::any_of(found.begin(), found.end(), [&](const QemuOptionWords& option) {
    return std::find(options.begin(), options.end(), option.name) != options.end() ||
           read_keys(option.value).contains("bootindex");
  });
}

}  // namespace

std::optional<GuestImage> chosen_guest(const Config& config, const Host& host) {
  const bool bare_kernel = config.base_image.value.empty() && !config.kernel.value.empty();
  return bare_kernel ? std::nullopt : host.guest;
}

bool has_guest(const Config& config, const VmSpec& spec) {
  return spec.disk || !spec.boot.kernel.empty() ||
         (config.base_image.value == no_base_image &&
          (brings_a_guest(config.extra_args.value) || brings_a_guest(config.qemu_args)));
}

Boot resolve_boot(const Config& config, const Host& host, Findings& findings) {
  const auto guest = chosen_guest(config, host).value_or(GuestImage{});
  Boot boot{guest.kernel, guest.initrd, guest.cmdline};
  const auto kernel = resolve_file(config.kernel, host, findings);
  const auto initrd = resolve_file(config.initrd, host, findings);
  if (!kernel.empty()) {
    boot.kernel = kernel;
    boot.initrd.clear();
  }
  if (!initrd.empty()) boot.initrd = initrd;
  if (!config.cmdline.value.empty()) {
    if (!boot.cmdline.empty()) boot.cmdline += ' ';
    boot.cmdline += config.cmdline.value;
  }
  if (boot.kernel.empty()) {
    const std::string hint = "set KERNEL, or a BASE_IMAGE folder with a guest.toml";
    if (!initrd.empty()) findings.refuse(config.initrd, "only used with a kernel", hint);
    if (!config.cmdline.value.empty()) {
      findings.refuse(config.cmdline, "only used with a kernel", hint);
    }
  }
  check_boot_files(config, host, guest, boot, findings);
  return boot;
}

std::optional<CloudInit> resolve_cloud_init(const Config& config, const Host& host,
                                            std::string& generated_password, Findings& findings) {
  if (!config.cloud_init.value) {
    if (!config.shares.empty()) {
      findings.warnings.push_back(
          "CLOUD_INIT is off: the guest is not told to mount its shares; mount them by hand "
          "(mount -t virtiofs TAG DIR, or mount -t 9p -o trans=virtio TAG DIR)");
    }
    for (const auto* given :
         {&config.guest_password, &config.ssh_pubkey, &config.cloud_init_user_data}) {
      if (given->value.empty()) continue;
      findings.warnings.push_back("CLOUD_INIT is off: " + given->origin.variable +
                                  " has no effect");
    }
    return std::nullopt;
  }
  const bool has_user_data = check_user_data(config, host, findings);
  check_second_seed(config, host, chosen_guest(config, host).value_or(GuestImage{}).cmdline,
                    findings);

  CloudInit cloud_init;
  cloud_init.user_data = host.user_data;
  cloud_init.ssh_keys = resolve_ssh_keys(config.ssh_pubkey, findings);
  std::string password = config.guest_password.value;
  const bool nobody_said = password.empty() && !config.guest_password.invalid &&
                           config.ssh_pubkey.value.empty() && !has_user_data;
  if (nobody_said && config.persist.value) {
    findings.refuse(config.persist,
                    "a password made for this run would be lost, and the disk would keep it",
                    "set GUEST_PASSWORD or SSH_PUBKEY");
  }
  if (nobody_said) password = generated_password = host.random.substr(0, 12);
  if (password.size() > longest_password) {
    findings.problems.push_back(
        {fmt::format("{}: longer than {} bytes", config.guest_password.origin.variable,
                     longest_password),
         describe(config.guest_password.origin), "choose a shorter one"});
  } else if (!password.empty()) {
    const auto maker = nobody_said ? PasswordMaker::machine : PasswordMaker::person;
    cloud_init.password_hash = hash_password(password, host.random.substr(16, 16), maker);
  }
  return cloud_init;
}

}  // namespace vmr
