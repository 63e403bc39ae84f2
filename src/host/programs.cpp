// SPDX-License-Identifier: MIT
#include "host/programs.hpp"

#include "host/environment.hpp"
#include "host/program_answers.hpp"
#include "host/trusted_path.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
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

/// The folder in which this user describes vhost-user programs; empty: there is none.
std::string own_description_folder(const std::string& home) {
  auto folder = environment("XDG_CONFIG_HOME");
  if (!folder.starts_with('/')) folder = home + "/.config";
  return folder.starts_with('/') ? folder + "/qemu/vhost-user" : std::string();
}

/// A file that describes a program, and whether it is a user's own.
struct Description {
  fs::path file;
  bool is_own = false;
};

/// The files that describe vhost-user programs, by name; an earlier folder hides the later ones.
std::map<std::string, Description> description_files(const std::string& home, Skipped* skipped) {
  const auto own = own_description_folder(home);
  std::map<std::string, Description> files;
  for (const auto& folder :
       {own, std::string("/etc/qemu/vhost-user"), std::string("/usr/share/qemu/vhost-user")}) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
      if (entry.path().extension() != ".json") continue;
      if (folder == own && !is_trusted(entry.path().string(), skipped)) continue;
      files.emplace(entry.path().filename().string(), Description{entry.path(), folder == own});
    }
  }
  return files;
}

/// The path of the virtiofsd to use, whether it can be executed or not; empty: none.
std::string locate_virtiofsd(const std::string& home, Skipped* skipped) {
  for (const auto& [name, description] : description_files(home, skipped)) {
    auto program = described_program(read_all(description.file));
    if (program.empty() || (description.is_own && !is_trusted(program, skipped))) continue;
    return program;
  }
  constexpr std::array usual_places = {"/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd",
                                       "/usr/lib/virtiofsd"};
  for (const auto* place : usual_places) {
    if (is_program(place)) return place;
  }
  return find_in_path("virtiofsd", skipped);
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

bool is_trusted(const std::string& path, Skipped* skipped) {
  const auto stranger = find_stranger(path);
  if (stranger.empty()) return true;
  auto text = fmt::format("'{}' is passed over: {}", path, stranger);
  if (skipped != nullptr && std::find(skipped->begin(), skipped->end(), text) == skipped->end()) {
    skipped->push_back(std::move(text));
  }
  return false;
}

std::string find_in_path(const std::string& name, Skipped* skipped) {
  const auto path = environment("PATH");
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const auto candidate = fmt::format("{}/{}", folder, name);
    if (!folder.starts_with('/') || !is_program(candidate)) continue;
    if (::geteuid() != 0 || is_trusted(candidate, skipped)) return candidate;
  }
  return {};
}

std::optional<VirtiofsdFacts> find_virtiofsd(const std::string& home, std::string& problem,
                                             Skipped* skipped) {
  const auto path = locate_virtiofsd(home, skipped);
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
