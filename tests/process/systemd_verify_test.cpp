// SPDX-License-Identifier: MIT
// The unit for systemd, read by systemd.
#include "build_paths.hpp"
#include "host/capture.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

const std::string analyze = "/usr/bin/systemd-analyze";

/// The unit with the program that is not installed yet, in `folder`.
std::string write_unit(const TemporaryFolder& folder) {
  const std::string name = "vm-runner@.service";
  auto text = read_text(SOURCE_FOLDER "/scripts/systemd/" + name);
  const std::string start = "\nExecStart=vm-runner ";
  const auto at = text.find(start);
  REQUIRE(at != text.npos);
  text.replace(at, start.size(), std::string("\nExecStart=") + VM_RUNNER + " ");
  write_text(folder / name, text);
  return folder / name;
}

}  // namespace

TEST_CASE("systemd accepts the unit for itself and for a user without a word") {
  if (!std::filesystem::exists(analyze)) {
    MESSAGE("SKIPPED: there is no ", analyze);
    return;
  }
  const TemporaryFolder folder;
  const auto unit = write_unit(folder);
  for (const std::string whose : {"--system", "--user"}) {
    CAPTURE(whose);
    const auto result = vmr::capture({"/usr/bin/env", "XDG_RUNTIME_DIR=" + folder.path(), analyze,
                                      whose, "--man=no", "verify", unit});
    CHECK(result.output == "");
    CHECK(result.errors == "");
    CHECK(result.ok);
  }
}
