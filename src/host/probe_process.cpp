// SPDX-License-Identifier: MIT
#include "base/capabilities.hpp"
#include "host/abilities.hpp"
#include "host/memory_cgroups.hpp"
#include "host/probe_doctor.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <sys/resource.h>

namespace vmr {
namespace {

/// The number behind "NAME:" in one of the kernel's files; none when it is not there.
std::optional<std::uint64_t> number_of(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  }
  return std::nullopt;
}

/// The setting of the kernel that keeps an ordinary user from user namespaces.
std::string user_namespaces_off() {
  constexpr std::array<std::array<std::string_view, 3>, 3> forbidding = {
      {{"/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone"},
       {"/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces"},
       {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
        "kernel.apparmor_restrict_unprivileged_userns"}}};
  for (const auto& [path, value, name] : forbidding) {
    std::string found;
    if (std::ifstream(std::string(path)) >> found && found == value) return std::string(name);
  }
  return {};
}

}  // namespace

ProcessFacts probe_process() {
  ProcessFacts facts;
  constexpr const char* status = "/proc/self/status";
  const auto capabilities = effective_capabilities();
  facts.capabilities = names_of(capabilities);
  facts.no_capabilities = names_of(~capabilities);
  facts.seccomp_mode = static_cast<int>(number_of(status, "Seccomp").value_or(0));
  facts.no_new_privileges = number_of(status, "NoNewPrivs").value_or(0) == 1;
  facts.user_namespaces_off = user_namespaces_off();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.open_files = limit.rlim_cur;
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    facts.locked_kib = limit.rlim_cur >> 10;
  }
  facts.memory_limit = find_memory_limit();
  facts.memory_available = number_of("/proc/meminfo", "MemAvailable").value_or(0) >> 10;
  return facts;
}

}  // namespace vmr
