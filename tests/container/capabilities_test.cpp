// SPDX-License-Identifier: MIT
// The capabilities that the manifests give: all that virtiofsd needs as root, and none besides.
#include "build_paths.hpp"
#include "support/container.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

using namespace vmr::test;

namespace {

using Words = std::vector<std::string>;

Words kubernetes_capabilities() {
  const auto pod = YAML::LoadFile(SOURCE_FOLDER "/docker/kubernetes/pod.yaml")["spec"];
  return pod["containers"][0]["securityContext"]["capabilities"]["add"].as<Words>();
}

/// The first thing that a virtiofsd with these capabilities says of itself: an error, or that it
/// waits for QEMU. The container ends with the shell.
std::string start_virtiofsd(const Words& capabilities) {
  Words words = {"run", "--rm", "--cap-drop", "ALL", "--entrypoint", "/bin/bash"};
  for (const auto& name : capabilities) words.insert(words.end(), {"--cap-add", name});
  words.insert(words.end(),
               {built_image(), "-c",
                "grep -m1 -E 'ERROR|Waiting' < <(/usr/libexec/virtiofsd --socket-path=/tmp/socket "
                "--shared-dir=/srv --sandbox=chroot --inode-file-handles=never 2>&1)"});
  return run_docker(words).output;
}

}  // namespace

TEST_CASE("compose and Kubernetes give the same capabilities") {
  const auto compose = YAML::LoadFile(SOURCE_FOLDER "/docker/compose.yaml");
  CHECK(compose["x-vm"]["cap_drop"].as<Words>() == Words{"ALL"});
  CHECK(compose["x-vm"]["cap_add"].as<Words>() == kubernetes_capabilities());
}

TEST_CASE("virtiofsd needs each capability that the manifests give, and no other") {
  if (!has_docker()) return;
  const auto all = kubernetes_capabilities();
  CHECK(start_virtiofsd(all).find("Waiting for vhost-user socket connection") != std::string::npos);
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto fewer = all;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    CAPTURE(all[i]);
    CHECK(start_virtiofsd(fewer).find("ERROR") != std::string::npos);
  }
}
