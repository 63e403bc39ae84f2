// SPDX-License-Identifier: MIT
#include "host/programs.hpp"

#include "host/environment.hpp"
#include "host/program_answers.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

bool is_program(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The files that describe vhost-user programs, by name; an earlier folder hides the later ones.
std::map<std::string, fs::path> description_files(const std::string& home) {
  std::vector<fs::path> folders;
  const auto config_home = environment("XDG_CONFIG_HOME");
  folders.emplace_back((config_home.empty() ? home + "/.config" : config_home) +
                       "/qemu/vhost-user");
  folders.emplace_back("/etc/qemu/vhost-user");
  folders.emplace_back("/usr/share/qemu/vhost-user");
  std::map<std::string, fs::path> files;
  for (const auto& folder : folders) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
      if (entry.path().extension() == ".json") {
        files.emplace(entry.path().filename().string(), entry.path());
      }
    }
  }
  return files;
}

/// The path of the virtiofsd to use, whether it can be executed or not; empty: none.
std::string locate_virtiofsd(const std::string& home) {
  for (const auto& [name, file] : description_files(home)) {
    auto program = described_program(read_all(file));
    if (!program.empty()) return program;
  }
  constexpr std::array usual_places = {"/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd",
                                       "/usr/lib/virtiofsd"};
  for (const auto* place : usual_places) {
    if (is_program(place)) return place;
  }
  return find_in_path("virtiofsd");
}

}  // namespace

std::string described_program(std::string_view text) {
  boost::system::error_code error;
  const auto json = boost::json::parse(text, error);
  if (error || !json.is_object()) return {};
  const auto& object = json.as_object();
  const auto* type = object.if_contains("type");
  const auto* binary = object.if_contains("binary");
  const bool is_fs = type != nullptr && type->is_string() && type->as_string() == "fs";
  if (!is_fs || binary == nullptr || !binary->is_string()) return {};
  std::string program(binary->as_string());
  // Another one would be looked for in whatever folder we were started in.
  const bool is_path = program.starts_with('/') && program.find('\0') == program.npos;
  return is_path ? program : std::string();
}

std::string find_in_path(const std::string& name) {
  const auto path = environment("PATH");
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const auto candidate = fmt::format("{}/{}", folder, name);
    if (folder.starts_with('/') && is_program(candidate)) return candidate;
  }
  return {};
}

std::optional<VirtiofsdFacts> find_virtiofsd(const std::string& home, std::string& problem) {
  const auto path = locate_virtiofsd(home);
  if (path.empty()) {
    problem = "Unable to find a satisfying virtiofsd";
    return std::nullopt;
  }
  if (!is_program(path)) {
    problem = fmt::format("virtiofsd binary '{}' is not executable", path);
    return std::nullopt;
  }
  // Told apart by what it answers, never by version: only the Rust one lists features.
  const ProgramAnswers answers(home);
  const auto abilities = answers.ask(path, "--print-capabilities");
  const auto help = answers.ask(path, "--help");
  if (!abilities.ok) {
    problem = fmt::format("virtiofsd binary '{}' does not answer --print-capabilities", path);
    return std::nullopt;
  }
  VirtiofsdFacts facts;
  facts.path = path;
  const bool is_rust = abilities.output.find("\"features\"") != std::string::npos;
  facts.family = is_rust ? VirtiofsdFacts::Family::rust : VirtiofsdFacts::Family::c;
  facts.has_readonly = help.output.find("--readonly") != std::string::npos;
  facts.has_sandbox_none = is_rust;
  facts.has_file_handles = help.output.find("--inode-file-handles") != std::string::npos;
  facts.has_translation = help.output.find("--translate-uid") != std::string::npos;
  facts.has_modcaps = help.output.find("modcaps") != std::string::npos;
  facts.has_announce_submounts =
      !is_rust && help.output.find("announce_submounts") != std::string::npos;
  facts.has_killpriv_v2 = is_rust && help.output.find("--killpriv-v2") != std::string::npos;
  return facts;
}

}  // namespace vmr
