// SPDX-License-Identifier: MIT
#include "host/process_security.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vmr {
namespace {

constexpr std::array<const char*, 7> namespace_kinds = {"cgroup", "ipc",  "mnt", "net",
                                                        "pid",    "user", "uts"};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Word number `index` behind "NAME:" in the kernel's list.
std::string_view word_of(std::string_view status, std::string_view name, int index = 0) {
  const auto start = status.find(fmt::format("\n{}:", name));
  if (start == status.npos) return {};
  auto line = status.substr(start + name.size() + 2);
  line = line.substr(0, line.find('\n'));
  for (int i = 0;; ++i) {
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t")));
    const auto word = line.substr(0, line.find_first_of(" \t"));
    if (i == index || word.empty()) return word;
    line.remove_prefix(word.size());
  }
}

template <typename Number>
Number number_of(std::string_view word, int base = 10) {
  Number number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number, base);
  return number;
}

std::string namespace_of(pid_t pid, const char* kind) {
  std::error_code error;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/{}", pid, kind), error).string();
}

/// The namespaces in which `pid` is and `other` is not; none when they cannot be seen.
std::optional<std::vector<std::string>> own_namespaces(pid_t pid, pid_t other) {
  std::vector<std::string> kinds;
  for (const auto* kind : namespace_kinds) {
    const auto own = namespace_of(pid, kind);
    if (own.empty()) return std::nullopt;
    if (own != namespace_of(other, kind)) kinds.emplace_back(kind);
  }
  return kinds;
}

}  // namespace

ProcessSecurity parse_process_status(std::string_view status) {
  ProcessSecurity process;
  process.pid = number_of<pid_t>(word_of(status, "Pid"));
  process.uid = number_of<std::uint32_t>(word_of(status, "Uid", 1));
  process.capabilities = number_of<CapabilitySet>(word_of(status, "CapPrm"), 16);
  process.seccomp = number_of<int>(word_of(status, "Seccomp"));
  process.no_new_privileges = word_of(status, "NoNewPrivs") == "1";
  return process;
}

std::vector<ProcessSecurity> read_process_security(const std::string& name, pid_t pid,
                                                   pid_t launcher) {
  const auto status = read_file(fmt::format("/proc/{}/status", pid));
  if (status.empty()) return {};
  auto process = parse_process_status(status);
  process.name = name;
  process.namespaces = own_namespaces(pid, launcher);
  std::vector<ProcessSecurity> processes = {std::move(process)};
  if (pid == launcher) return processes;
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (pid_t child = 0; children >> child;) {
    const auto more = read_process_security(name + " child", child, launcher);
    processes.insert(processes.end(), more.begin(), more.end());
  }
  return processes;
}

}  // namespace vmr
