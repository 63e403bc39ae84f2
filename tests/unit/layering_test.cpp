// SPDX-License-Identifier: MIT
// Keeps src/ in its layers, each of which includes only itself and those before it.
#include "build_paths.hpp"
#include "support/judge.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> layers = {"base", "config", "libvirt",  "host",    "spec",
                                                    "plan", "run",    "commands", "main.cpp"};
const std::set<std::string_view> pure_layers = {"base", "config", "libvirt", "spec", "plan"};

/// Headers that read no file, start no process and know no clock of the system.
const std::set<std::string_view> pure_headers = {
    "algorithm",     "array",       "bit",     "charconv",    "chrono",
    "cctype",        "cmath",       "compare", "concepts",    "cstddef",
    "cstdint",       "cstring",     "deque",   "functional",  "initializer_list",
    "iterator",      "limits",      "map",     "memory",      "numeric",
    "optional",      "ranges",      "set",     "span",        "stdexcept",
    "string",        "string_view", "tuple",   "type_traits", "unordered_map",
    "unordered_set", "utility",     "variant", "vector",      "fmt/format.h",
    "fmt/ranges.h"};

/// Who else may include what.
const std::set<std::pair<std::string_view, std::string_view>> exceptions = {
    {"base/format_library.cpp", "fmt/format-inl.h"},
    {"base/log.cpp", "unistd.h"},
    {"base/log.cpp", "atomic"},
    {"base/log.cpp", "boost/json.hpp"},
    {"base/log.cpp", "fmt/chrono.h"},
    {"base/printable.cpp", "boost/json.hpp"},
    {"base/printable.cpp", "boost/nowide/utf/utf.hpp"},
    {"base/printable.hpp", "boost/json/fwd.hpp"},
    {"base/utf8.cpp", "boost/nowide/utf/convert.hpp"},
    {"base/capabilities.cpp", "linux/capability.h"},
    {"base/unique_fd.hpp", "unistd.h"},
    {"libvirt/domain_tree.cpp", "pugixml.hpp"},
    {"config/guest_toml.cpp", "toml++/toml.h"},
    {"config/toml.cpp", "toml++/toml.h"},
    {"config/arguments.cpp", "CLI/CLI.hpp"},
    {"plan/confine_plan.cpp", "linux/capability.h"},
    {"spec/password.cpp", "crypt.h"},
    {"base/qemu_words.cpp", "yaml-cpp/yaml.h"},
    {"base/gzip.cpp", "zlib.h"},
    {"spec/yaml_value.cpp", "sstream"},
    {"spec/yaml_value.cpp", "yaml-cpp/eventhandler.h"},
    {"spec/yaml_value.cpp", "yaml-cpp/yaml.h"}};

struct SourceFile {
  std::string path;  ///< below src/
  std::string text;
};

std::vector<SourceFile> all_sources() {
  const fs::path root = SOURCE_FOLDER "/src";
  std::vector<SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    files.push_back({fs::relative(entry.path(), root).string(), read_text(entry.path())});
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

struct Include {
  std::string name;
  bool ours = false;  ///< "…", not <…>
};

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  std::istringstream lines(file.text);
  for (std::string line; std::getline(lines, line);) {
    const auto word = line.find_first_not_of("# \t");
    if (!line.starts_with('#') || line.compare(word, 7, "include") != 0) continue;
    const auto begin = line.find_first_of("\"<") + 1;
    const auto end = line.find_first_of("\">", begin);
    includes.push_back({line.substr(begin, end - begin), line[begin - 1] == '"'});
  }
  return includes;
}

std::string_view layer_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

/// The place of a layer in their order; past the end for what is none.
auto rank_of(std::string_view layer) {
  return std::find(layers.begin(), layers.end(), layer);
}

bool is_pure(const SourceFile& file) {
  return pure_layers.contains(layer_of(file.path));
}

/// Whether the header only declares plain data of the host.
bool is_host_data(std::string_view name) {
  return name == "host/host.hpp";
}

std::string check_direction(const SourceFile& file, const Include& include) {
  const auto own = rank_of(layer_of(file.path));
  const auto other = rank_of(layer_of(include.name));
  if (own == layers.end()) return "is in no layer";
  if (other == layers.end()) return fmt::format("includes \"{}\" of no layer", include.name);
  if (other > own) return fmt::format("includes \"{}\" of a later layer", include.name);
  const bool of_host = layer_of(include.name) == "host";
  if (is_pure(file) && of_host && !is_host_data(include.name)) {
    return fmt::format("is pure but includes \"{}\"", include.name);
  }
  return {};
}

std::string check_library(const SourceFile& file, const std::string& name) {
  const bool is_excepted = exceptions.contains({file.path, name});
  const bool is_seed = file.path.starts_with("plan/seed") && name.starts_with("yaml-cpp/");
  if (is_excepted || is_seed) return {};
  const bool only_there = name.starts_with("yaml-cpp/") || name == "crypt.h";
  if (only_there || (is_pure(file) && !pure_headers.contains(name))) {
    return fmt::format("includes <{}>", name);
  }
  return {};
}

/// Everything wrong with one file, each with its path.
Strings faults_of(const SourceFile& file) {
  Strings faults;
  const auto add = [&](const std::string& fault) {
    if (!fault.empty()) faults.push_back(file.path + " " + fault);
  };
  for (const auto& include : includes_of(file)) {
    add(include.ours ? check_direction(file, include) : check_library(file, include.name));
  }
  const auto lines = std::count(file.text.begin(), file.text.end(), '\n');
  if (lines > 400) add(fmt::format("has {} lines, more than 400", lines));
  if (!file.text.starts_with("// SPDX-License-Identifier: MIT\n")) {
    add("does not start with its SPDX line");
  }
  return faults;
}

Strings faults_with(const std::string& path, const std::string& include) {
  return faults_of({path, "// SPDX-License-Identifier: MIT\n#include " + include + "\n"});
}

TEST_CASE("every source file is in its layer") {
  const auto files = all_sources();
  CHECK(files.size() > 80);
  Strings faults;
  for (const auto& file : files) {
    const auto more = faults_of(file);
    faults.insert(faults.end(), more.begin(), more.end());
  }
  CHECK(Argv{faults} == Argv{});
}

TEST_CASE("one source file knows Boost.Process") {
  Strings users;
  for (const auto& file : all_sources()) {
    const auto includes = includes_of(file);
    if (std::any_of(includes.begin(), includes.end(), [](const Include& include) {
          return include.name.starts_with("boost/process");
        })) {
      users.push_back(file.path);
    }
  }
  CHECK(Argv{users} == Argv{{"run/spawn.cpp"}});
}

TEST_CASE("one source file writes results to standard output") {
  // Through stdio and streams a write that fails at the end is heard of by nobody.
  Strings users;
  for (const auto& file : all_sources()) {
    for (const std::string word : {"stdout", "std::cout", "puts(", "printf(", "fmt::print("}) {
      if (file.text.find(word) != file.text.npos) users.push_back(file.path + " " + word);
    }
  }
  CHECK(Argv{users} == Argv{});
}

TEST_CASE("JSON that people may see is written in one place") {
  // Elsewhere only what goes to QEMU, a guest's agent, the log or through the control socket; and a
  // number for a table.
  Strings users;
  for (const auto& file : all_sources()) {
    if (file.text.find("json::serialize(") != file.text.npos) users.push_back(file.path);
  }
  CHECK(Argv{users} == Argv{{"base/printable.cpp", "commands/status_table.cpp", "run/control.cpp",
                             "run/control_client.cpp", "run/json_session.cpp"}});
}

TEST_CASE("includes that are refused") {
  struct Row {
    std::string path;
    std::string include;
    std::string fault;
  };
  const std::vector<Row> rows = {
      {"base/x.cpp", "\"config/config.hpp\"", "includes \"config/config.hpp\" of a later layer"},
      {"config/x.hpp", "\"host/host.hpp\"", "includes \"host/host.hpp\" of a later layer"},
      {"spec/x.cpp", "\"plan/seed.hpp\"", "includes \"plan/seed.hpp\" of a later layer"},
      {"run/x.cpp", "\"commands/commands.hpp\"",
       "includes \"commands/commands.hpp\" of a later layer"},
      {"plan/x.cpp", "\"host/probe.hpp\"", "is pure but includes \"host/probe.hpp\""},
      {"plan/x.cpp", "\"seed.hpp\"", "includes \"seed.hpp\" of no layer"},
      {"other/x.cpp", "\"base/error.hpp\"", "is in no layer"},
      {"spec/x.cpp", "<fstream>", "includes <fstream>"},
      {"plan/x.cpp", "<boost/json.hpp>", "includes <boost/json.hpp>"},
      {"base/error.cpp", "<unistd.h>", "includes <unistd.h>"},
      {"config/x.cpp", "<cstdlib>", "includes <cstdlib>"},
      {"spec/guest.cpp", "<yaml-cpp/yaml.h>", "includes <yaml-cpp/yaml.h>"},
      {"run/x.cpp", "<yaml-cpp/yaml.h>", "includes <yaml-cpp/yaml.h>"},
      {"run/x.cpp", "<crypt.h>", "includes <crypt.h>"}};
  for (const auto& row : rows) {
    CHECK(Argv{faults_with(row.path, row.include)} == Argv{{row.path + " " + row.fault}});
  }
}

TEST_CASE("includes that are allowed") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"base/log.cpp", "<unistd.h>"},
      {"plan/seed_parts.cpp", "<yaml-cpp/yaml.h>"},
      {"spec/yaml_value.cpp", "<yaml-cpp/yaml.h>"},
      {"spec/password.cpp", "<crypt.h>"},
      {"plan/x.cpp", "\"host/host.hpp\""},
      {"run/x.cpp", "\"host/probe.hpp\""},
      {"run/x.cpp", "<sys/socket.h>"},
      {"main.cpp", "\"commands/commands.hpp\""},
      {"main.cpp", "<unistd.h>"}};
  for (const auto& [path, include] : rows) CHECK(Argv{faults_with(path, include)} == Argv{});
}

TEST_CASE("files that are too long or say nothing of their licence") {
  CHECK(Argv{faults_of({"base/x.cpp", "int x;\n"})} ==
        Argv{{"base/x.cpp does not start with its SPDX line"}});
  const std::string start = "// SPDX-License-Identifier: MIT\n";
  CHECK(faults_of({"base/x.cpp", start + std::string(399, '\n')}).empty());
  CHECK(Argv{faults_of({"base/x.cpp", start + std::string(400, '\n')})} ==
        Argv{{"base/x.cpp has 401 lines, more than 400"}});
}

}  // namespace
}  // namespace vmr::test
