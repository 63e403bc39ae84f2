// SPDX-License-Identifier: MIT
#include "support/golden.hpp"

#include "build_paths.hpp"
#include "support/host_toml.hpp"
#include "support/text_file.hpp"

#include <algorithm>
#include <sstream>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// The lines of an env file; empty ones and comments left out.
Strings environment_of(const std::string& text) {
  Strings variables;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with('#')) variables.push_back(line);
  }
  return variables;
}

}  // namespace

std::vector<fs::path> golden_folders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(SOURCE_FOLDER "/tests/golden")) {
    folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Files read_files(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.emplace(entry.path().filename().string(), read_text(entry.path()));
  }
  return files;
}

bool is_golden_input(const std::string& name) {
  return name == "env" || name == "config.toml" || name == "host.toml";
}

GoldenInputs golden_inputs(const Files& files) {
  const auto input = [&](const std::string& name) {
    const auto found = files.find(name);
    return found == files.end() ? std::string() : found->second;
  };
  return {environment_of(input("env")),
          {"config.toml", input("config.toml")},
          read_host(input("host.toml"))};
}

}  // namespace vmr::test
