// SPDX-License-Identifier: MIT
// The unit for systemd says what the program understands.
#include "base/error.hpp"
#include "base/shell_words.hpp"
#include "base/units.hpp"
#include "build_paths.hpp"
#include "config/arguments.hpp"
#include "config/load.hpp"
#include "spec/vm_spec.hpp"
#include "support/hosts.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

namespace vmr::test {
namespace {

/// The settings of the section [Service]; each is there once.
std::map<std::string, std::string> service_settings() {
  std::istringstream lines(read_text(SOURCE_FOLDER "/scripts/systemd/vm-runner@.service"));
  std::map<std::string, std::string> settings;
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line;
    const auto equals = line.find('=');
    if (section != "[Service]" || line.starts_with('#') || equals == line.npos) continue;
    const bool is_new = settings.emplace(line.substr(0, equals), line.substr(equals + 1)).second;
    CHECK_MESSAGE(is_new, line);
  }
  return settings;
}

/// A time of the unit, in whole seconds.
std::chrono::milliseconds time_of(const std::string& name) {
  const auto parsed = parse_seconds(service_settings().at(name));
  REQUIRE(std::holds_alternative<std::chrono::milliseconds>(parsed));
  return std::get<std::chrono::milliseconds>(parsed);
}

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// The words that systemd executes for vm-runner@dev of a user.
std::vector<std::string> command_line() {
  auto line = service_settings().at("ExecStart");
  line = replace_all(replace_all(line, "%E", "/home/me/.config"), "%i", "dev");
  CHECK(line.find('%') == line.npos);
  return shell_split(line).value();
}

VmSpec spec_of_the_unit() {
  const auto words = command_line();
  const auto loaded = load_config(parse_arguments({words.begin() + 1, words.end()}), {}, {});
  CHECK(loaded.problems == std::vector<Problem>{});
  return resolve(loaded.config, ordinary_user()).spec;
}

TEST_CASE("systemd unit: it runs the VM of its instance's configuration without a console") {
  const auto words = command_line();
  CHECK(words.front() == "vm-runner");
  Arguments expected;
  expected.config_file = "/home/me/.config/vm-runner/dev.toml";
  expected.assignments = {"GUEST_NAME=dev", "NO_CONSOLE=1"};
  CHECK(parse_arguments({words.begin() + 1, words.end()}) == expected);
  const auto spec = spec_of_the_unit();
  CHECK(spec.name == "dev");
  CHECK_FALSE(spec.console);
}

TEST_CASE("systemd unit: systemd waits longer than the launcher does") {
  const auto spec = spec_of_the_unit();
  CHECK(time_of("TimeoutStopSec") > spec.stop_timeout);
  CHECK(time_of("TimeoutStartSec") > spec.start_timeout);
}

TEST_CASE("systemd unit: what the next start would find again is not started again") {
  const auto number = [](ExitStatus status) { return static_cast<int>(status); };
  CHECK(service_settings().at("RestartPreventExitStatus") ==
        fmt::format("{} {} {}", number(ExitStatus::usage), number(ExitStatus::host_unsupported),
                    number(ExitStatus::stop_timeout)));
}

}  // namespace
}  // namespace vmr::test
