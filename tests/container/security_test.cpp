// SPDX-License-Identifier: MIT
// What the processes of a VM may do in a plain `docker run`.
#include "support/security.hpp"

#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace vmr;
using namespace vmr::test;

TEST_CASE("each process in a container is left with what the documentation tells") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  std::filesystem::create_directories(work / "share");
  const std::string name = "vm-runner-test-security";
  run_docker({"rm", "--force", name});
  const auto started =
      run_docker({"run",        "--detach",
                  "--name",     name,
                  "-v",         (work / "share") + ":/share",
                  "-v",         std::filesystem::canonical(tiny_guest()).string() + ":/tiny:ro",
                  "-e",         "BASE_IMAGE=/tiny",
                  "-e",         "CMDLINE=tiny.stay",
                  "-e",         "FILESYSTEM_SOURCE=/share",
                  "-e",         "MEMORY=256",
                  "-e",         "SSH_PORT=0",
                  "-e",         "ACCEL=tcg",
                  built_image()});
  REQUIRE_MESSAGE(started.ok, started.errors);
  const auto ask = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"exec", name, "vm-runner"});
    return run_docker(words);
  };
  CHECK(ask({"status", "--wait", "--healthy"}).output == "healthy\n");
  const auto told = ask({"status", "--security", "--format=json"});
  CHECK_MESSAGE(told.ok, told.errors);
  check_security(told.output, "container");
  CHECK(says(run_docker({"exec", "-e", "BASE_IMAGE=/tiny", name, "vm-runner", "doctor"}),
             "\nprocesses\n  ok    launcher "));
  CHECK(run_docker({"stop", "--time", "30", name}).ok);
  run_docker({"rm", "--force", name});
}
