// SPDX-License-Identifier: MIT
#include "host/probe_container.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Mount {
  std::string place;
  std::string type;
};

/// proc(5): ID parent device root PLACE options [optional fields…] - TYPE source options
std::vector<Mount> mounts_of(const std::string& root) {
  std::vector<Mount> mounts;
  std::istringstream lines(contents_of(root + "/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    Mount mount;
    for (int i = 0; i < 4; ++i) words >> word;
    words >> mount.place;
    while (words >> word && word != "-") {
    }
    words >> mount.type;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

/// Whether `variables`, as /proc/PID/environ has them, set `name` to something.
bool sets(const std::string& variables, const std::string& name) {
  std::istringstream words(variables);
  for (std::string word; std::getline(words, word, '\0');) {
    if (word.starts_with(name + "=") && word.size() > name.size() + 1) return true;
  }
  return false;
}

/// What only the one who started this system says, as it runs: its container manager to process
/// 1, and that to everybody.
bool is_told_by_init(const std::string& root) {
  return exists(root + "/run/systemd/container") || exists(root + "/run/host/container-manager") ||
         sets(contents_of(root + "/proc/1/environ"), "container");
}

/// A root file system that was put together for a container: layers, or files of the engine's
/// over those that each container needs of its own.
bool has_made_root(const std::string& root) {
  const auto mounts = mounts_of(root);
  return std::any_of(mounts.begin(), mounts.end(), [](const Mount& mount) {
    if (mount.place == "/") return mount.type == "overlay" || mount.type == "fuse.fuse-overlayfs";
    return mount.place == "/etc/hosts" || mount.place == "/etc/hostname";
  });
}

/// The machine's own namespaces have fixed numbers (include/linux/proc_ns.h). That of mounts has
/// none, and services and sessions have one of their own.
bool has_own_namespace(const std::string& root) {
  const std::vector<std::pair<std::string, std::string>> machine = {
      {"pid", "pid:[4026531836]"},
      {"ipc", "ipc:[4026531839]"},
      {"uts", "uts:[4026531838]"},
      {"cgroup", "cgroup:[4026531835]"}};
  return std::any_of(machine.begin(), machine.end(), [&](const auto& row) {
    std::error_code error;
    const auto own = fs::read_symlink(root + "/proc/self/ns/" + row.first, error);
    return !error && own != row.second;
  });
}

bool is_kubernetes(const std::string& root, const Environment& environment) {
  return !environment("KUBERNETES_SERVICE_HOST").empty() ||
         exists(root + "/var/run/secrets/kubernetes.io");
}

/// The engine that left its mark; `machine`: none did. A mark can be older than the system that
/// has it: a virtual machine's disk is often made from a container's files.
Surroundings marked_engine(const std::string& root, const Environment& environment) {
  if (is_kubernetes(root, environment)) return Surroundings::kubernetes;
  if (exists(root + "/.dockerenv")) return Surroundings::docker;
  if (exists(root + "/run/.containerenv")) return Surroundings::podman;
  const auto word = environment("container");
  if (word.empty()) return Surroundings::machine;
  return word == "podman" ? Surroundings::podman : Surroundings::container;
}

}  // namespace

Surroundings find_surroundings(const std::string& root, const Environment& environment) {
  const auto engine = marked_engine(root, environment);
  const bool is_marked = engine != Surroundings::machine;
  // One sign alone proves nothing: a live system's root has layers, a service has namespaces.
  const bool is_inside =
      is_told_by_init(root) || (has_made_root(root) && (is_marked || has_own_namespace(root)));
  if (!is_inside) return Surroundings::machine;
  return is_marked ? engine : Surroundings::container;
}

bool has_own_network(const std::string& root) {
  // The limits of network devices are the machine's: the kernel lists them only in its network.
  const auto settings = root + "/proc/sys/net/core";
  return exists(settings) && !exists(settings + "/netdev_max_backlog");
}

}  // namespace vmr
