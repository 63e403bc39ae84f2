// SPDX-License-Identifier: MIT
#include "plan/launch_plan.hpp"

#include "config/absolute_arguments.hpp"
#include "plan/confine_plan.hpp"
#include "plan/opened_paths.hpp"
#include "plan/qemu_plan.hpp"
#include "plan/seed.hpp"
#include "plan/share_plan.hpp"
#include "spec/share_source.hpp"

#include <fmt/format.h>

#include <utility>

namespace vmr {
namespace {

/// What a socket address holds (sun_path), without its final NUL.
constexpr std::size_t longest_socket_path = 107;

RuntimePaths runtime_paths(const VmSpec& spec, const Host& host) {
  const auto folder = runtime_folder_of(spec.name, host);
  RuntimePaths paths;
  paths.folder = folder;
  if (spec.cloud_init) paths.seed = folder + "/seed.iso";
  paths.qmp = folder + "/qmp.sock";
  paths.console = folder + "/console.sock";
  paths.reports = folder + "/reports.sock";
  paths.agent = folder + "/agent.sock";
  paths.control = control_socket_of(spec.name, host);
  return paths;
}

/// The user's own arguments for a QEMU that works elsewhere; returns those for which it cannot.
std::vector<std::string> make_arguments_absolute(VmSpec& spec, const Host& host) {
  std::vector<std::string> unread;
  for (auto* words : {&spec.extra_args, &spec.qemu_args}) {
    auto absolute = make_absolute(*words, host.working_folder, [&](const std::string& path) {
      return facts_of(path, host).kind != FileFacts::Kind::missing;
    });
    *words = std::move(absolute.words);
    unread.insert(unread.end(), absolute.unread.begin(), absolute.unread.end());
  }
  return unread;
}

/// For what is said of them.
void keep_as_written(const VmSpec& given, QemuPlan& qemu) {
  for (auto& group : qemu.groups) {
    if (!is_users_group(group.name)) continue;
    const auto& words = group.name == extra_group ? given.extra_args : given.qemu_args;
    if (words != group.arguments) group.written = words;
  }
}

}  // namespace

std::vector<Share> shares_of(const LaunchPlan& plan) {
  std::vector<Share> shares;
  for (const auto& share : plan.shares) shares.push_back(share.share);
  return shares;
}

std::string runtime_folder_of(const std::string& name, const Host& host) {
  constexpr std::string_view longest_name = "/virtiofsd-999.sock";
  const auto folder = fmt::format("{}/{}", host.runtime_folder, name);
  if (folder.size() + longest_name.size() <= longest_socket_path) return folder;
  return fmt::format("{}/{}", host.short_runtime_folder, name);
}

std::string control_socket_of(const std::string& name, const Host& host) {
  return runtime_folder_of(name, host) + "/control.sock";
}

std::string login_note(const VmSpec& spec) {
  if (spec.generated_password.empty()) return {};
  return fmt::format(
      "Log in as {} with the password {} (made for this run; set GUEST_PASSWORD or SSH_PUBKEY to "
      "choose)",
      spec.login_user.empty() ? "the default user" : spec.login_user, spec.generated_password);
}

LaunchPlan make_plan(const VmSpec& given, const Host& host) {
  VmSpec spec = given;
  const auto unread = make_arguments_absolute(spec, host);
  LaunchPlan plan;
  plan.vm_name = spec.name;
  plan.paths = runtime_paths(spec, host);
  for (const auto& share : spec.shares) {
    plan.shares.push_back(plan_share(share, plan.shares.size(), host, plan.paths.folder));
    auto& helper = plan.shares.back().helper;
    if (helper) {
      helper->confinement = confine_virtiofsd(share, spec.qemu_user, host);
      plan_opened_source(share, spec.qemu_user, host, plan.paths.folder, *helper);
    }
    if (share.create_source) plan.create_folders.push_back(share.source);
  }
  if (spec.cloud_init) plan.seed = make_seed(spec);
  for (const auto accelerator : spec.accelerators) {
    plan.attempts.push_back(plan_qemu(spec, accelerator, host.qemu, plan.paths, plan.shares));
    auto& qemu = plan.attempts.back();
    qemu.unread = unread;
    keep_as_written(given, qemu);
    if (!unread.empty()) qemu.process.working_folder = host.working_folder;
    if (spec.disk && spec.disk->persistent.empty()) {
      qemu.process.temporary_files_in = host.temporary_folder;
    }
    qemu.process.confinement = confine_qemu(spec, host, qemu, plan.paths);
    plan_opened(spec, host, plan.paths, plan.shares, qemu);
  }
  if (spec.disk && !spec.disk->persistent.empty()) plan.persistent_disk = spec.disk;
  plan.ssh = spec.ssh;
  plan.start_timeout = spec.start_timeout;
  plan.stop_timeout = spec.stop_timeout;
  plan.memory_mib = spec.memory_mib;
  plan.on_helper_exit = spec.on_helper_exit;
  plan.hotplug_ports = hotplug_ports(spec);
  plan.console = spec.console;
  plan.landlock = host.landlock;
  plan.login_note = login_note(spec);
  return plan;
}

std::string describe(const Share& share) {
  return fmt::format(
      "Filesystem #{}: {} -> guest tag '{}' ({}, driver={}, accessmode={}, mount={})", share.number,
      share.source, share.tag, share.readonly ? "read-only" : "read-write", word_for(share.driver),
      word_for(share.accessmode), share.mount);
}

std::string describe_real_source(const Share& share, const Host& host) {
  const auto& real = real_path(share.source, host);
  if (real == share.source) return {};
  return fmt::format("Filesystem #{}: '{}' is '{}'", share.number, share.source, real);
}

}  // namespace vmr
