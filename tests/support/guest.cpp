// SPDX-License-Identifier: MIT
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string guest_folder(const char* variable, const std::string& name,
                         const std::string& command) {
  auto folder = environment(variable);
  if (folder.empty()) {
    const auto cache = environment("XDG_CACHE_HOME");
    folder = (cache.empty() ? environment("HOME") + "/.cache" : cache) + "/vm-runner/" + name;
  }
  REQUIRE_MESSAGE(fs::exists(folder + "/guest.toml"), "there is no guest in ", folder,
                  "; make it with ", command);
  return folder;
}

/// A number that QEMU keeps in an extended attribute, little-endian.
std::optional<std::uint32_t> mapped_number(const std::string& path, const char* name) {
  std::uint32_t number = 0;
  const auto size = ::lgetxattr(path.c_str(), name, &number, sizeof number);
  return size == sizeof number ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string tiny_guest() {
  return guest_folder("VM_RUNNER_TINY_GUEST", "tiny-guest", "scripts/build-tiny-guest");
}

std::string debian_guest() {
  return guest_folder("VM_RUNNER_GUEST", "guest", "scripts/build-guest");
}

std::string test_guest() {
  return guest_folder("VM_RUNNER_TEST_GUEST", "test-guest", "scripts/test");
}

Launcher::Variables tiny_settings() {
  return {{"BASE_IMAGE", tiny_guest()}, {"ACCEL", "tcg"}, {"MEMORY", "256"}, {"CPUS", "1"}};
}

Launcher::Variables join(Launcher::Variables first, const Launcher::Variables& second) {
  for (const auto& [name, value] : second) first[name] = value;
  return first;
}

Launcher::Variables share(int number, const Launcher::Variables& settings) {
  const auto prefix = number == 1 ? "FILESYSTEM_" : fmt::format("FILESYSTEM{}_", number);
  Launcher::Variables variables;
  for (const auto& [name, value] : settings) variables[prefix + name] = value;
  return variables;
}

std::vector<std::string> Observed::log_with(const std::string& text) const {
  std::vector<std::string> found;
  for (const auto& line : log) {
    if (line.find(text) != line.npos) found.push_back(line);
  }
  return found;
}

Observed observe(const Finished& finished) {
  constexpr std::string_view mark = "SAY: ";
  Observed observed{finished.status, lines_of(finished.log), {}, finished.output};
  for (const auto& line : lines_of(finished.output)) {
    // The kernel may have written the beginning of the line.
    const auto at = line.find(mark);
    if (at != line.npos) observed.said.push_back(line.substr(at + mark.size()));
  }
  return observed;
}

std::string guest_script(const std::string& body) {
  return "#!/bin/sh\nsay() { printf 'SAY: %s\\n' \"$*\"; }\n" + body;
}

Observed boot(const Launcher::Variables& variables, const std::string& script) {
  const TextFile user_data(guest_script(script));
  auto all = join(tiny_settings(), {{"CLOUD_INIT_USER_DATA", user_data.path()}});
  return observe(run_launcher(join(std::move(all), variables)));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    while (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string describe_file(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return "missing";
  auto text = fmt::format("{}:{} {:04o} '{}'", facts.st_uid, facts.st_gid, facts.st_mode & 07777,
                          S_ISREG(facts.st_mode) ? read_file(path) : "");
  const auto uid = mapped_number(path, "user.virtfs.uid");
  const auto gid = mapped_number(path, "user.virtfs.gid");
  const auto mode = mapped_number(path, "user.virtfs.mode");
  if (uid) text += fmt::format(" guest-uid={}", *uid);
  if (gid) text += fmt::format(" guest-gid={}", *gid);
  if (mode) text += fmt::format(" guest-mode={:04o}", *mode & 07777);
  return text;
}

}  // namespace vmr::test
