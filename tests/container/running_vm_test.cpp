// SPDX-License-Identifier: MIT
// The commands for a VM that runs, by `docker exec`, with the guest that is in the image.
#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace vmr;
using namespace vmr::test;

TEST_CASE("a running container is asked and told by docker exec") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  std::filesystem::create_directories(work / "share/inner");
  const std::string name = "vm-runner-test-running";
  run_docker({"rm", "--force", name});
  const auto started =
      run_docker({"run", "--detach", "--name", name, "-v", (work / "share") + ":/share", "-e",
                  "FILESYSTEM_SOURCE=/share", "-e", "MEMORY=1024", "-e", "SSH_PORT=0", "-e",
                  "ACCEL=tcg", "-e", "CPUS=1", "-e", "STOP_TIMEOUT=60", built_image()});
  REQUIRE_MESSAGE(started.ok, started.errors);
  const auto ask = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"exec", name, "vm-runner"});
    return run_docker(words);
  };
  CHECK(ask({"status", "--wait", "--healthy"}).output == "healthy\n");

  const auto status = ask({"status"});
  CHECK(says(status, "sandbox chroot, share #1"));
  CHECK(says(status, "share #1     /share at /mnt/share (virtiofs): mounted"));

  // grep sees whole lines only: the one above the prompt, as "login: " has no end.
  const auto shown = run_docker(
      {"exec", name, "sh", "-c", "vm-runner console </dev/null | grep -m 1 -o 'Debian GNU/Linux'"});
  CHECK(shown.output == "Debian GNU/Linux\n");

  // The agent comes up a moment after cloud-init's first steps, and is waited for.
  const auto said = ask({"exec", "--", "sh", "-c", "uname; echo oops >&2; exit 7"});
  CHECK_FALSE(said.ok);
  CHECK(said.output == "Linux\n");
  CHECK(says(said, "oops"));

  const auto added = ask({"share", "add", "/share/inner", "--set", "TARGET=data"});
  CHECK_MESSAGE(added.ok, added.output, added.errors);
  CHECK(added.output == "share #2     /share/inner at /mnt/data (virtiofs): mounted\n");
  CHECK(ask({"exec", "--", "touch", "/mnt/data/file"}).ok);
  CHECK(std::filesystem::exists(work / "share/inner/file"));
  CHECK(ask({"share", "remove", "data"}).ok);
  CHECK(says(ask({"share", "list"}), "share #1"));
  CHECK_FALSE(says(ask({"share", "list"}), "share #2"));

  CHECK(run_docker({"stop", "--time", "75", name}).ok);
  const auto log = run_docker({"logs", name});
  CHECK(says(log, "[INFO] The guest powered off"));
  run_docker({"rm", "--force", name});
}
