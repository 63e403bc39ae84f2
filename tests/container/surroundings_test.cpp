// SPDX-License-Identifier: MIT
// A container is found to be one, whatever is in front of the launcher in it.
#include "build_paths.hpp"
#include "support/container.hpp"
#include "support/public_key.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

using Words = std::vector<std::string>;

/// What `config` makes of SSH_PORT and STOP_TIMEOUT in a container of these flags.
std::string defaults_in(const Words& flags, const Words& command = {}) {
  Words words = {"run", "--rm"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(built_image());
  words.insert(words.end(), command.begin(), command.end());
  if (command.empty()) words.emplace_back("config");
  const auto run = run_docker(words);
  INFO(run.output << run.errors);
  CHECK(run.ok);
  std::string found;
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("SSH_PORT") == line.npos && line.find("STOP_TIMEOUT") == line.npos) continue;
    found += line.substr(line.rfind(' ') + 1) + " ";
  }
  return found;
}

}  // namespace

TEST_CASE("an init, a shell or the machine's processes beside it leave a container one") {
  if (!has_docker()) return;
  const std::string container = "0.0.0.0:2222 8 ";
  const Words own_network = {"--network", "none"};
  const auto with = [&](const Words& flags) {
    auto words = own_network;
    words.insert(words.end(), flags.begin(), flags.end());
    return words;
  };
  CHECK(defaults_in(own_network) == container);
  CHECK(defaults_in(with({"--init"})) == container);
  CHECK(defaults_in(with({"--pid=host"})) == container);
  CHECK(defaults_in(with({"--pid=host", "--ipc=host", "--uts=host", "--user", "1000:1000"})) ==
        container);
  CHECK(defaults_in(with({"--read-only", "--cap-drop", "ALL"})) == container);
  CHECK(defaults_in(with({"--entrypoint", "/bin/sh"}),
                    {"-c", "env -i PATH=\"$PATH\" vm-runner config; true"}) == container);
}

TEST_CASE("the compose file of one who puts an init in front gives a container's defaults") {
  if (!has_docker()) return;
  const auto service =
      YAML::LoadFile(SOURCE_FOLDER "/tests/cases/docker/compose-init.yaml")["services"]["vm"];
  Words flags = {"--network", "none"};
  if (service["init"].as<bool>()) flags.emplace_back("--init");
  for (const auto& variable : service["environment"]) {
    const auto name = variable.first.as<std::string>();
    const auto value = name == "SSH_PUBKEY" ? ed25519_key : variable.second.as<std::string>();
    flags.insert(flags.end(), {"-e", name + "=" + value});
  }
  for (const auto& volume : service["volumes"]) {
    const auto words = volume.as<std::string>();
    flags.insert(flags.end(), {"--tmpfs", words.substr(words.find(':') + 1)});
  }
  CHECK(defaults_in(flags) == "0.0.0.0:2222 8 ");
}

TEST_CASE("a container with the host's network opens SSH to the host only") {
  if (!has_docker()) return;
  CHECK(defaults_in({"--network", "host"}) == "127.0.0.1:2222 8 ");
}
