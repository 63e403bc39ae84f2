// SPDX-License-Identifier: MIT
#include "build_paths.hpp"
#include "config/arguments.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::string read_document(const std::string& name) {
  std::ifstream file(std::string(SOURCE_FOLDER) + "/docs/" + name);
  REQUIRE_MESSAGE(file.is_open(), name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> all_variables() {
  std::vector<std::string> names;
  for (const auto& setting : vmr::vm_settings()) names.emplace_back(setting.name);
  for (const auto& setting : vmr::share_settings()) {
    names.push_back(vmr::share_variable(1, setting.name));
  }
  return names;
}

}  // namespace

TEST_CASE("every variable is documented in the guide and in the man page") {
  const auto guide = read_document("configuration.md");
  const auto man_page = read_document("vm-runner.1");
  for (const auto& name : all_variables()) {
    CHECK_MESSAGE(guide.find("`" + name + "`") != guide.npos, name);
    CHECK_MESSAGE(man_page.find(name) != man_page.npos, name);
  }
}

TEST_CASE("every command is documented in the man page and in the help") {
  const auto man_page = read_document("vm-runner.1");
  const auto help = vmr::parse_arguments({"--help"}).text;
  for (const std::string command : {"run", "args", "doctor", "config", "import", "seed", "status",
                                    "stop", "console", "exec", "share", "listen"}) {
    CHECK_MESSAGE(man_page.find(".B " + command + "\n") != man_page.npos, command);
    const bool in_help = help.find("vm-runner " + command) != help.npos ||
                         help.find("[" + command + "]") != help.npos;
    CHECK_MESSAGE(in_help, command);
  }
}

TEST_CASE("the README names only settings that exist") {
  std::ifstream file(std::string(SOURCE_FOLDER) + "/README.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(!text.empty());
  for (auto at = text.find("FILESYSTEM"); at != text.npos; at = text.find("FILESYSTEM", at + 1)) {
    const auto end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", at);
    const auto name = text.substr(at, end - at);
    if (name == "FILESYSTEM" || name.ends_with('_')) continue;
    CHECK_MESSAGE(vmr::find_setting(name).has_value(), name);
  }
}
