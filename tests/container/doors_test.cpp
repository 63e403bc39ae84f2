// SPDX-License-Identifier: MIT
// The doors that a QEMU or virtiofsd that was taken over finds closed in a plain `docker run`.
#include "support/doors.hpp"

#include "build_paths.hpp"
#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace vmr;
using namespace vmr::test;

TEST_CASE("the doors that an escaped guest finds in a container are closed as documented") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  std::filesystem::create_directories(work / "share");
  const auto try_doors = [&](const std::string& driver) {
    const auto run =
        run_docker({"run",        "--rm",
                    "-v",         (work / "share") + ":/share",
                    "-v",         FAKE_QEMU ":/usr/bin/qemu-system-x86_64:ro",
                    "-v",         FAKE_VIRTIOFSD ":/usr/libexec/virtiofsd:ro",
                    "-e",         "FAKE_QEMU=poweroff,hostile-calls",
                    "-e",         "FAKE_VIRTIOFSD=hostile-calls",
                    "-e",         "LOG_VERBOSE=1",
                    "-e",         "BASE_IMAGE=/tiny",
                    "-v",         std::filesystem::canonical(tiny_guest()).string() + ":/tiny:ro",
                    "-e",         "ACCEL=tcg",
                    "-e",         "FILESYSTEM_SOURCE=/share",
                    "-e",         "FILESYSTEM_DRIVER=" + driver,
                    built_image()});
    CHECK_MESSAGE(run.ok, run.errors);
    return Finished{0, run.output, run.errors};
  };
  const auto seen = try_doors("virtiofs");
  auto column = doors_column("QEMU", "qemu", seen);
  for (const auto& part :
       {doors_column("QEMU with a share of 9p `passthrough`", "qemu", try_doors("9p")),
        doors_column("virtiofsd", "virtiofsd-1", seen)}) {
    column.insert(column.end(), part.begin(), part.end());
  }
  check_observed_table("security.md", "doors", {{"container", column}});
}
