// SPDX-License-Identifier: MIT
// The cases of tests/golden: settings, a host, and what comes of them.
#pragma once

#include "config/load.hpp"
#include "host/host.hpp"
#include "support/judge.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vmr::test {

/// Files of a case by name.
using Files = std::map<std::string, std::string>;

/// The folders of all cases, sorted.
std::vector<std::filesystem::path> golden_folders();

Files read_files(const std::filesystem::path& folder);

/// Whether a file of this name says what the case is, not what comes of it.
bool is_golden_input(const std::string& name);

struct GoldenInputs {
  Strings environment;
  ConfigFile file;
  Host host;
};
GoldenInputs golden_inputs(const Files& files);

}  // namespace vmr::test
