// SPDX-License-Identifier: MIT
// docker/compose.yaml, as compose itself reads it where there is a compose command.
#include "build_paths.hpp"
#include "support/container.hpp"
#include "support/guest.hpp"
#include "support/public_key.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

using namespace vmr::test;

namespace {

using Words = std::vector<std::string>;

const std::string file = SOURCE_FOLDER "/docker/compose.yaml";
const std::string kvm_file = SOURCE_FOLDER "/docker/compose.kvm.yaml";

/// The shell words of a compose command: a part of $DOCKER, or a program of its own; else empty.
std::string compose_command() {
  const char* docker = std::getenv("DOCKER");
  for (const auto& command : {std::string(docker == nullptr ? "docker" : docker) + " compose",
                              std::string("docker-compose")}) {
    if (vmr::capture({"/bin/sh", "-c", command + " version"}).ok) return command;
  }
  return {};
}

vmr::Captured config(const std::string& variables, const std::string& files) {
  return vmr::capture(
      {"/bin/sh", "-c", fmt::format("{} {} {} config", variables, compose_command(), files)});
}

/// `node` with what its "<<" brings, which yaml-cpp leaves to its users.
YAML::Node merged(const YAML::Node& node) {
  if (!node.IsMap()) return node;
  YAML::Node result;
  if (node["<<"]) result = YAML::Clone(merged(node["<<"]));
  for (const auto& entry : node) {
    if (entry.first.as<std::string>() != "<<") result[entry.first] = merged(entry.second);
  }
  return result;
}

YAML::Node service(const std::string& name) {
  return merged(YAML::LoadFile(file)["services"][name]);
}

int seconds(const std::string& text) {
  REQUIRE(text.back() == 's');
  return std::stoi(text);
}

}  // namespace

TEST_CASE("compose takes both files, and has every part of them in what it resolves") {
  if (compose_command().empty()) {
    MESSAGE("SKIPPED: no compose command (docker compose, or Debian's docker-compose)");
    return;
  }
  const auto both = config("SSH_PUBKEY=key", fmt::format("-f {} -f {}", file, kvm_file));
  const auto keyless = config("SSH_PUBKEY=", "-f " + file);
  INFO(both.output << both.errors);
  REQUIRE(both.ok);
  CHECK_FALSE(keyless.ok);
  CHECK(says(keyless, "the public key that may log in"));
  const auto resolved = YAML::Load(both.output);
  for (const auto* name : {"alpha", "beta"}) {
    CAPTURE(name);
    const auto one = resolved["services"][name];
    CHECK(one["environment"]["GUEST_NAME"].as<std::string>() == name);
    CHECK(one["environment"]["SSH_PUBKEY"].as<std::string>() == "key");
    CHECK(one["environment"]["REQUIRE_KVM"].as<std::string>() == "1");
    CHECK(one["devices"].size() == 1);
    CHECK(one["healthcheck"]["test"].as<Words>() ==
          Words{"CMD", "vm-runner", "status", "--healthy"});
  }
  CHECK(resolved["volumes"].size() == 2);
}

TEST_CASE("the machines of the compose file have names and local ports of their own") {
  std::set<std::string> names;
  std::set<std::string> ports;
  for (const auto* name : {"alpha", "beta"}) {
    const auto one = service(name);
    names.insert(one["environment"]["GUEST_NAME"].as<std::string>());
    const auto port = one["ports"][0].as<std::string>();
    CHECK(port.find("127.0.0.1:") == 0);
    ports.insert(port);
    CHECK(seconds(one["stop_grace_period"].as<std::string>()) >
          one["environment"]["STOP_TIMEOUT"].as<int>());
  }
  CHECK(names.size() == 2);
  CHECK(ports.size() == 2);
}

TEST_CASE("each machine of the compose file boots with its shares and its privileges") {
  if (!has_docker()) return;
  const std::map<std::string, Words> tags = {{"alpha", {"share", "reference"}},
                                             {"beta", {"share", "reference", "scratch"}}};
  for (const auto& [name, expected] : tags) {
    CAPTURE(name);
    const auto one = service(name);
    const TemporaryFolder work;
    // PERSIST wants a disk, which the tiny guest has not.
    write_text(work / "disk.img", {});
    std::filesystem::resize_file(work / "disk.img", 1 << 20);
    Words options = {"--security-opt",
                     one["security_opt"][0].as<std::string>(),
                     "--cap-drop",
                     "ALL",
                     "-e",
                     "ACCEL=tcg",
                     "-v",
                     (work / "disk.img") + ":/disk.img:ro",
                     "-e",
                     "BASE_IMAGE=/disk.img",
                     "-e",
                     "KERNEL=/guest/vmlinux",
                     "-e",
                     "INITRD=/guest/initrd.img",
                     "-e",
                     "CMDLINE=console=ttyS0 quiet panic=-1",
                     "--tmpfs",
                     "/data",
                     "--tmpfs",
                     "/reference",
                     "--tmpfs",
                     "/scratch",
                     "-v",
                     (work / "share") + ":/share"};
    for (const auto& capability : one["cap_add"]) {
      options.insert(options.end(), {"--cap-add", capability.as<std::string>()});
    }
    for (const auto& variable : one["environment"]) {
      const auto key = variable.first.as<std::string>();
      if (key == "MEMORY") continue;
      const auto value = key == "SSH_PUBKEY"         ? ed25519_key
                         : key == "FILESYSTEM_OWNER" ? "0:0"
                                                     : variable.second.as<std::string>();
      options.insert(options.end(), {"-e", key + "=" + value});
    }
    const auto run = boot_in_container(
        work, "for n in /mnt/*; do touch $n/new && say wrote $n; done\n", options);
    INFO(run.output << run.errors);
    CHECK(run.ok);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(says(run, fmt::format("[INFO] Filesystem #{}: mounted in the guest at /mnt/{}", i + 1,
                                  expected[i])));
    }
    CHECK(says(run, "SAY: wrote /mnt/share"));
    CHECK_FALSE(says(run, "SAY: wrote /mnt/reference"));
    CHECK(says(run, "SAY: wrote /mnt/scratch") == (name == "beta"));
  }
}
