// SPDX-License-Identifier: MIT
// Containers and machines, made up as files below a folder.
#include "host/probe_container.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace vmr::test {
namespace {

using Variables = std::map<std::string, std::string>;
using Strings = std::vector<std::string>;

const std::string ext4 = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw";
const std::string overlay =
    "561 502 0:52 / / rw,relatime master:9 - overlay overlay rw,lowerdir=/a";
const std::string hosts = "580 561 254:0 /var/x/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw";
const std::string resolv = "581 561 254:0 /r /etc/resolv.conf rw,relatime - ext4 /dev/vda rw";

struct Row {
  std::string what;
  Strings mounts;
  Strings own_namespaces;  ///< the others are the machine's
  Strings files;
  Variables environment;
  Surroundings surroundings;
};

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

void make(const std::string& root, const Row& row) {
  std::string mounts;
  for (const auto& line : row.mounts) mounts += line + "\n";
  write(root + "/proc/self/mountinfo", mounts);
  std::filesystem::create_directories(root + "/proc/self/ns");
  const Variables machine = {{"pid", "4026531836"},
                             {"ipc", "4026531839"},
                             {"uts", "4026531838"},
                             {"cgroup", "4026531835"},
                             {"mnt", "4026532201"}};
  for (const auto& [name, number] : machine) {
    const bool is_own = std::count(row.own_namespaces.begin(), row.own_namespaces.end(), name) != 0;
    std::filesystem::create_symlink(name + ":[" + (is_own ? "4026532207" : number) + "]",
                                    root + "/proc/self/ns/" + name);
  }
  for (const auto& file : row.files) {
    write(root + file,
          file == "/proc/1/environ" ? std::string("PATH=/bin\0container=lxc\0", 24) : "");
  }
}

Surroundings found(const Row& row) {
  const TemporaryFolder folder;
  make(folder.path(), row);
  return find_surroundings(folder.path(), [&](const char* name) {
    const auto variable = row.environment.find(name);
    return variable == row.environment.end() ? std::string() : variable->second;
  });
}

TEST_CASE("a container is told by its files and namespaces, whatever process 1 is") {
  using enum Surroundings;
  const Strings all = {"pid", "ipc", "uts", "cgroup"};
  const std::vector<Row> rows = {
      {"Docker", {overlay, resolv, hosts}, all, {"/.dockerenv"}, {}, docker},
      {"Docker, all namespaces of the machine", {overlay, hosts}, {}, {"/.dockerenv"}, {}, docker},
      {"Docker, --pid=host", {overlay, hosts}, {"ipc", "uts"}, {"/.dockerenv"}, {}, docker},
      {"Docker on ZFS",
       {"1 2 0:9 / / rw - zfs pool/7 rw", hosts},
       all,
       {"/.dockerenv"},
       {},
       docker},
      {"Podman", {overlay, hosts}, all, {"/run/.containerenv"}, {{"container", "podman"}}, podman},
      {"Podman without its file", {overlay}, {}, {}, {{"container", "podman"}}, podman},
      {"rootless Podman",
       {"5 4 0:7 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw"},
       all,
       {"/run/.containerenv"},
       {},
       podman},
      {"Podman's vfs", {ext4, hosts}, all, {"/run/.containerenv"}, {}, podman},
      {"a pod", {overlay, hosts}, all, {}, {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}, kubernetes},
      {"a pod without service links",
       {overlay},
       all,
       {"/var/run/secrets/kubernetes.io/serviceaccount/token"},
       {},
       kubernetes},
      {"a pod that no file tells of", {overlay, hosts}, {"pid"}, {}, {}, container},
      {"containerd alone", {overlay}, {"pid", "ipc"}, {}, {}, container},
      {"containerd on block devices", {ext4, hosts}, all, {}, {}, container},
      {"a build step", {overlay, resolv, hosts}, {"pid"}, {}, {}, container},
      {"LXC", {ext4}, all, {"/proc/1/environ"}, {}, container},
      {"systemd-nspawn, as a user", {ext4}, all, {"/run/systemd/container"}, {}, container},

      {"a machine", {ext4}, {}, {}, {}, machine},
      {"a machine of a container's files", {ext4}, {}, {"/.dockerenv"}, {}, machine},
      {"there, as process 1 of a namespace", {ext4}, {"pid"}, {"/.dockerenv"}, {}, machine},
      {"unshare --pid", {ext4}, {"pid"}, {}, {}, machine},
      {"a service without much", {ext4}, {"ipc", "uts"}, {}, {}, machine},
      {"ip netns exec", {ext4, resolv}, {}, {}, {}, machine},
      {"a live system", {overlay}, {}, {}, {}, machine},
      {"a variable of that name", {ext4}, {}, {}, {{"container", "box"}}, machine},
      {"a client of a cluster", {ext4}, {}, {}, {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}, machine},
      {"no /proc", {}, {}, {}, {}, machine},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(found(row) == row.surroundings);
  }
}

TEST_CASE("a container's network is the machine's where the kernel lists the machine's limits") {
  const auto has_own = [](const Strings& files) {
    const TemporaryFolder folder;
    for (const auto& file : files) write(folder / ("proc/sys/net/core/" + file), "");
    return has_own_network(folder.path());
  };
  CHECK(has_own({"somaxconn", "optmem_max"}));
  CHECK_FALSE(has_own({"somaxconn", "optmem_max", "netdev_max_backlog"}));
  CHECK_FALSE(has_own({}));  // nothing tells
}

}  // namespace
}  // namespace vmr::test
