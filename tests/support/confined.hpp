// SPDX-License-Identifier: MIT
// A machine where all files can be reached, and what QEMU is confined to on it.
#pragma once

#include "plan/confine_plan.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <algorithm>
#include <string>

namespace vmr::test {

/// A file that every user can reach.
inline FileFacts reachable_file(std::uint32_t mode) {
  auto facts = regular_file();
  facts.mode = mode;
  facts.reachable = true;
  return facts;
}

/// A machine on which every user can read the guest and reach the folders.
inline Host open_host() {
  auto host = docker_host();
  for (const auto* path : {"/guest/vmlinuz", "/guest/initrd", "/guest/disk.qcow2"}) {
    host.files[path] = reachable_file(0644);
  }
  host.files[host.qemu] = reachable_file(0755);
  host.files["/var/tmp"] = folder();
  host.files["/var/tmp"].mode = 01777;
  host.files["/var/tmp"].reachable = true;
  host.files["/run/vm-runner/vm"].reachable = true;
  return host;
}

inline LaunchPlan plan_of(const Strings& environment, const Host& host) {
  return make_plan(spec_of(environment, host), host);
}

inline Confinement tcg_confinement(const Strings& environment, const Host& host) {
  auto settings = environment;
  settings.emplace_back("ACCEL=tcg");
  return plan_of(settings, host).attempts.front().process.confinement;
}

/// "61234: CHOWN" or "launcher: everything".
inline std::string who(const Strings& environment, const Host& host) {
  const auto confinement = tcg_confinement(environment, host);
  std::string text =
      confinement.user ? std::to_string(confinement.user->uid) : std::string("launcher");
  if (!confinement.capabilities) return text + ": everything";
  for (const auto& name : names_of(*confinement.capabilities)) text += " " + name;
  return text;
}

inline bool may(const Confinement& confinement, const std::string& path, FileRule::Access access) {
  const FileRule rule{path, access};
  return std::find(confinement.files.begin(), confinement.files.end(), rule) !=
         confinement.files.end();
}

inline constexpr const char* own = "60914";

}  // namespace vmr::test
