// SPDX-License-Identifier: MIT
#include "support/access_modes.hpp"

#include "build_paths.hpp"
#include "support/guest.hpp"
#include "support/share_view.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

struct Mode {
  std::string tag;
  std::string driver;
  std::string accessmode;
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> all = {{"virtiofs", "virtiofs", "passthrough"},
                                        {"passthrough", "9p", "passthrough"},
                                        {"mapped", "9p", "mapped"},
                                        {"squash", "9p", "squash"}};
  return all;
}

/// Who probes where.
struct Prober {
  std::string who;
  std::string uid;
  std::string below;  ///< the folder below the share's
};

const std::vector<Prober>& probers() {
  static const std::vector<Prober> all = {{"root", "0", ""},
                                          {"user 1000 in own folder", "1000", "/theirs"},
                                          {"user 1000 in root's folder", "1000", ""}};
  return all;
}

/// How one step of the probe ended in the guest.
struct Step {
  bool done = false;
  std::string result;
};

std::string step_key(const std::string& folder, const std::string& uid, std::string_view step) {
  return fmt::format("{} {} {}", folder, uid, step);
}

/// The lines of the probe by step_key.
std::map<std::string, Step> read_steps(const std::string& console) {
  constexpr std::string_view mark = "PROBE ";
  std::map<std::string, Step> steps;
  for (const auto& line : lines_of(console)) {
    const auto at = line.find(mark);
    const auto equals = line.find(" = ");
    if (at == line.npos || equals == line.npos) continue;
    std::istringstream words(line.substr(at + mark.size(), equals - at - mark.size()));
    std::string folder, uid, ending, step;
    words >> folder >> uid >> ending >> std::ws;
    std::getline(words, step);
    steps[step_key(folder, uid, step)] = {ending == "ok", line.substr(equals + 3)};
  }
  return steps;
}

/// What the guest's `step` came to, and what is at `host_path` now.
std::string cell(std::string_view step, const Step& guest, const std::string& host_path) {
  const auto host = view(step, host_path);
  if (guest.done) {
    return guest.result == host ? host : fmt::format("{}; host: {}", guest.result, host);
  }
  const bool is_left = !host.empty() && (step == "file" || step == "folder" || step == "fifo" ||
                                         step == "socket" || step == "device" || step == "symlink");
  return is_left ? fmt::format("{}; host: {}", guest.result, host) : guest.result;
}

/// What all steps in the read-only share of `mode` came to, each answer once.
std::string readonly_cell(const std::map<std::string, Step>& steps, const Mode& mode) {
  std::set<std::string> answers;
  for (const auto& prober : probers()) {
    const auto folder = fmt::format("/mnt/ro-{}{}", mode.tag, prober.below);
    for (const auto step : probe_steps) {
      const auto found = steps.find(step_key(folder, prober.uid, step));
      answers.insert(found == steps.end() ? "not tried" : found->second.result);
    }
  }
  return fmt::format("{}", fmt::join(answers, "; "));
}

ObservedColumn column_of(const Mode& mode, const std::string& host_folder,
                         const std::map<std::string, Step>& steps, const std::string& refusal) {
  ObservedColumn column;
  for (const auto& prober : probers()) {
    const auto folder = mode.tag + prober.below;
    for (const auto step : probe_steps) {
      const auto found = steps.find(step_key("/mnt/" + folder, prober.uid, step));
      const auto host_path =
          fmt::format("{}/{}/{}", host_folder, folder, probe_name(prober.uid, step));
      column.push_back({{prober.who, std::string(step)},
                        found == steps.end() ? "not tried" : cell(step, found->second, host_path)});
    }
  }
  column.push_back({{"anyone", "any of these in a read-only share"}, readonly_cell(steps, mode)});
  const auto refused = mode.driver == "virtiofs" ? "refused: " + refusal : "";
  column.push_back({{"anyone", "virtiofs with `mapped` or `squash`"}, refused});
  return column;
}

/// A folder of the host's root with a file, and one of user 1000 in it.
void make_source(const std::string& folder) {
  for (const auto& [path, owner] : {std::pair{folder, 0U}, std::pair{folder + "/theirs", 1000U}}) {
    REQUIRE(::mkdir(path.c_str(), 0755) == 0);
    const auto file = path + "/given";
    write_text(file, "");
    for (const auto* made : {&path, &file}) REQUIRE(::chown(made->c_str(), owner, owner) == 0);
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
    REQUIRE(::chmod(file.c_str(), 0644) == 0);
  }
}

}  // namespace

AccessModes::AccessModes(std::string virtiofs_column, std::string qemu)
    : virtiofs_column_(std::move(virtiofs_column)), qemu_(std::move(qemu)) {
  REQUIRE_MESSAGE(::geteuid() == 0, "run this as root: the modes differ for other users");
  for (const auto& mode : modes()) {
    make_source(folder_ / mode.tag);
    make_source(folder_ / "ro-" + mode.tag);
  }
  fs::create_directory(folder_ / "tools");
  fs::copy_file(PROBE_SHARE, folder_ / "tools/probe_share");
}

Launcher::Variables AccessModes::settings(const std::string& seen_as) {
  auto variables = share(1, {{"SOURCE", seen_as + "/tools"}, {"DRIVER", "9p"}, {"READONLY", "1"}});
  int number = 1;
  for (const std::string prefix : {"", "ro-"}) {
    for (const auto& mode : modes()) {
      variables = join(variables, share(++number, {{"SOURCE", seen_as + "/" + prefix + mode.tag},
                                                   {"DRIVER", mode.driver},
                                                   {"ACCESSMODE", mode.accessmode},
                                                   {"PRIVILEGED_FILES", "1"},
                                                   {"READONLY", prefix.empty() ? "0" : "1"}}));
    }
  }
  return variables;
}

std::string AccessModes::script() {
  std::string script;
  for (const std::string prefix : {"", "ro-"}) {
    for (const auto& mode : modes()) {
      for (const auto& prober : probers()) {
        script += fmt::format("/mnt/tools/probe_share /mnt/{}{}{} {}\n", prefix, mode.tag,
                              prober.below, prober.uid);
      }
    }
  }
  return script;
}

std::string AccessModes::refusal_in(const std::string& log) {
  for (const auto& line : lines_of(log)) {
    const auto at = line.find("': ");
    if (line.starts_with("error: FILESYSTEM_ACCESSMODE='")) return line.substr(at + 3);
  }
  return {};
}

void AccessModes::check_table(const std::string& console, const std::string& refusal) const {
  const auto steps = read_steps(console);
  for (const auto& mode : modes()) {
    const bool is_virtiofs = mode.driver == "virtiofs";
    check_observed("access modes", is_virtiofs ? virtiofs_column_ : "9p " + mode.accessmode,
                   column_of(mode, folder(), steps, refusal), is_virtiofs ? "" : qemu_);
  }
}

void AccessModes::check_promises(const std::string& console) const {
  for (const std::string mode : {"virtiofs", "passthrough"}) {
    CAPTURE(mode);
    CHECK(describe_file(folder_ / mode + "/0-file") == "0:0 0640 'made\n'");
    CHECK(describe_file(folder_ / mode + "/0-chown") == "1234:1235 0640 'made\n'");
    CHECK(describe_file(folder_ / mode + "/theirs/1000-file") == "1000:1000 0640 'made\n'");
  }
  // Any guest user writes, the host folder stays as it was, and others on the host can read.
  CHECK(describe_file(folder_ / "mapped/1000-file") ==
        "0:0 0644 'made\n' guest-uid=1000 guest-gid=1000 guest-mode=0640");
  CHECK(describe_file(folder_ / "mapped/1000-folder") ==
        "0:0 0755 '' guest-uid=1000 guest-gid=1000 guest-mode=0640");
  CHECK(describe_file(folder_ / "mapped") == "0:0 0755 '' guest-mode=0777");
  // Squash refuses the guest's root nothing because of owners.
  for (const auto& [key, step] : read_steps(console)) {
    if (!key.starts_with("/mnt/squash 0 ")) continue;
    CAPTURE(key);
    CHECK(step.result != std::strerror(EPERM));
    CHECK(step.result != std::strerror(EACCES));
  }
  for (const auto& mode : modes()) {
    const auto readonly = folder_ / "ro-" + mode.tag;
    CAPTURE(readonly);
    CHECK(describe_file(readonly + "/given") == "0:0 0644 ''");
    CHECK(std::distance(fs::recursive_directory_iterator(readonly), {}) == 3);
  }
}

}  // namespace vmr::test
