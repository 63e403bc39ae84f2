// SPDX-License-Identifier: MIT
#include "support/container.hpp"

#include "base/shell_words.hpp"
#include "build_paths.hpp"
#include "host/programs.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// `text` without what podman logs of itself, such as that it has no systemd for its health timers.
std::string without_engine_log(const std::string& text) {
  std::string rest;
  for (const auto& line : lines_of(text)) {
    if (!line.starts_with("time=\"")) rest += line + "\n";
  }
  return rest;
}

}  // namespace

std::string docker_command() {
  const char* chosen = std::getenv("DOCKER");
  return chosen == nullptr ? "docker" : chosen;
}

bool has_docker() {
  const auto found = capture({"/bin/sh", "-c", "command -v " + shell_quote(docker_command())});
  if (!found.ok) MESSAGE("SKIPPED: no Docker command (DOCKER='" << docker_command() << "')");
  return found.ok;
}

const std::string& built_image() {
  static const std::string image = [] {
    if (const char* const built = std::getenv("VM_RUNNER_IMAGE")) return std::string(built);
    const std::string name = "docker-vm-runner:test";
    const auto run =
        run_docker({"build", "-t", name, "-f", SOURCE_FOLDER "/docker/Dockerfile", SOURCE_FOLDER});
    REQUIRE_MESSAGE(run.ok, run.output << run.errors);
    return name;
  }();
  return image;
}

bool says(const Captured& run, const std::string& text) {
  return (run.output + run.errors).find(text) != std::string::npos;
}

Captured boot_in_container(const TemporaryFolder& work, const std::string& script,
                           const std::vector<std::string>& options) {
  fs::create_directories(work / "share");
  write_text(work / "user-data", guest_script(script));
  std::vector<std::string> words = {"run", "--rm",
                                    "-v",  tiny_guest() + ":/guest:ro",
                                    "-v",  (work / "user-data") + ":/user-data:ro",
                                    "-e",  "CLOUD_INIT_USER_DATA=/user-data",
                                    "-e",  "BASE_IMAGE=/guest",
                                    "-e",  "MEMORY=256",
                                    "-e",  "CPUS=1",
                                    "-e",  "SSH_PORT=0",
                                    "-e",  "FILESYSTEM_SOURCE=/share"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(built_image());
  return run_docker(words);
}

std::vector<std::string> c_virtiofsd_options(const TemporaryFolder& work) {
  std::string problem;
  const auto daemon = find_virtiofsd("/nonexistent", problem);
  if (!daemon || daemon->family != VirtiofsdFacts::Family::c) {
    MESSAGE("SKIPPED: this machine has no C virtiofsd to try");
    return {};
  }
  write_text(work / "c.json", R"({"type": "fs", "binary": "/usr/libexec/c-virtiofsd"})");
  return {"-v", daemon->path + ":/usr/libexec/c-virtiofsd:ro", "-v",
          (work / "c.json") + ":/etc/qemu/vhost-user/00-c.json:ro"};
}

Captured run_docker(const std::vector<std::string>& arguments) {
  auto run =
      capture({"/bin/sh", "-c", shell_quote(docker_command()) + " " + shell_join(arguments)});
  run.errors = without_engine_log(run.errors);
  return run;
}

}  // namespace vmr::test
