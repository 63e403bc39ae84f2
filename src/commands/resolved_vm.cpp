// SPDX-License-Identifier: MIT
#include "commands/resolved_vm.hpp"

#include "base/log.hpp"
#include "base/paths.hpp"
#include "config/load.hpp"
#include "config/raw_settings.hpp"
#include "config/secret_files.hpp"
#include "host/probe.hpp"
#include "host/probe_files.hpp"
#include "host/user_data_file.hpp"
#include "plan/extra_args.hpp"
#include "plan/launch_plan.hpp"
#include "run/measure_copy.hpp"
#include "spec/argument_files.hpp"
#include "spec/guest.hpp"
#include "spec/problems.hpp"
#include "spec/start_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace vmr {
namespace {

ConfigFile read_config_file(const std::string& path) {
  if (path.empty()) return {};
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  std::ifstream file(path, std::ios::binary);
  if (is_folder || !file.is_open()) {
    throw Error(fmt::format("the configuration file '{}' cannot be read", path),
                std::strerror(is_folder ? EISDIR : errno), "correct the path", ExitStatus::usage);
  }
  return {path, {std::istreambuf_iterator<char>(file), {}}};
}

/// Warns of a password in a file that others can read, also of one that is not used now.
void check_mode(const ConfigFile& file, std::vector<std::string>& warnings) {
  const auto values = read_toml(file.text, file.name).values;
  const bool has_secret = std::any_of(values.begin(), values.end(),
                                      [](const auto& value) { return is_secret(value.first); });
  if (!has_secret) return;
  constexpr auto by_others =
      std::filesystem::perms::group_read | std::filesystem::perms::others_read;
  std::error_code ignored;
  const auto mode = std::filesystem::status(file.name, ignored).permissions();
  if ((mode & by_others) == std::filesystem::perms::none) return;
  warnings.push_back(
      fmt::format("{}: others can read the guest_password in it; chmod 600", file.name));
}

/// The configuration from everywhere; from now on the log is as it says.
LoadedConfig load(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto file = read_config_file(arguments.config_file);
  auto loaded = load_config(arguments, environment, file);
  check_mode(file, loaded.warnings);
  set_log_format(loaded.config.log_format.value);
  if (loaded.config.log_verbose.value) set_log_level(LogLevel::debug);
  return loaded;
}

/// Reads the files with secrets. Who only asks a running launcher needs none of them.
void read_secrets(LoadedConfig& loaded) {
  std::error_code ignored;
  const auto here = std::filesystem::current_path(ignored).string();
  for (const auto& file : find_secret_files(loaded.given)) {
    std::string text;
    const auto path = absolute_path(file.path.value, find_home(), here);
    const auto why = read_regular_file(path, largest_secret_file, text);
    if (why.empty()) {
      take_secret(file, std::move(text), loaded);
    } else {
      refuse_secret(file, why, loaded);
    }
  }
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Why the wished SSH port, which the VM must have, cannot be had.
Problem problem_of_port(const ResolvedVm& vm) {
  const auto& wished = vm.config.ssh_port;
  const auto& obstacle = vm.host.ssh_port_obstacle;
  const auto said = fmt::format("SSH_PORT='{}': ", value_text(wished.value));
  Problem problem{said + "the port cannot be had: " + obstacle, describe(wished.origin),
                  "choose another port, or 0 for none", ExitStatus::host_unsupported};
  if (vm.host.foreign_ssh_address) {
    problem.message = said + wished.value.address + " is no address of this host";
    problem.hint =
        "the port is opened on this host: give one of its own addresses (127.0.0.1, 0.0.0.0 for "
        "all of them), or the port alone";
  } else if (obstacle.empty()) {
    problem.message = said + "the port is in use";
  } else if (wished.value.port < 1024) {
    problem.hint =
        "choose a port from 1024 on (one below needs CAP_NET_BIND_SERVICE), or 0 for none";
  }
  return problem;
}

}  // namespace

ControlAddress find_control(const Arguments& arguments,
                            const std::vector<std::string>& environment) {
  auto words = read_assignments(arguments.assignments);
  if (!words.problems.empty()) throw InvalidConfig(std::move(words.problems));
  const auto config = load(arguments, environment).config;
  Host host;
  host.uid = ::geteuid();
  host.runtime_folder = find_runtime_folder(host.uid);
  host.short_runtime_folder = find_short_runtime_folder(host.uid);
  const auto& name = config.guest_name.value;
  return {name, control_socket_of(name, host)};
}

ExaminedVm examine(LoadedConfig loaded, Host host) {
  auto resolved = resolve(loaded.config, host);
  append(loaded.problems, resolved.problems);
  append(loaded.warnings, resolved.warnings);
  std::vector<Collision> collisions;
  const bool has_own = !resolved.spec.extra_args.empty() || !resolved.spec.qemu_args.empty();
  if (loaded.problems.empty() && has_own) {
    const auto plan = make_plan(resolved.spec, host);
    collisions = find_collisions(plan.attempts.front(), loaded.config.extra_args.origin);
  }
  return {{std::move(loaded.config), std::move(loaded.given), std::move(host),
           std::move(resolved.spec)},
          std::move(loaded.problems),
          std::move(loaded.warnings),
          std::move(resolved.notes),
          std::move(collisions)};
}

ExaminedVm examine_vm(const Arguments& arguments, const std::vector<std::string>& environment) {
  auto loaded = load(arguments, environment);
  read_secrets(loaded);
  auto host = probe_host(loaded.config);
  probe_also(paths_of(start_paths(loaded.config, host)), host);
  measure_copy(loaded.config, host);
  return examine(std::move(loaded), std::move(host));
}

std::vector<Problem> start_problems(const ResolvedVm& vm) {
  std::vector<Problem> problems;
  if (!has_guest(vm.config, vm.spec)) {
    problems.push_back({"there is no guest to start", "",
                        "set BASE_IMAGE, or make the demo guest with scripts/build-guest"});
  }
  const auto wished = vm.config.ssh_port.value.port;
  if (wished != 0 && vm.host.free_ssh_port != vm.spec.ssh.port) {
    problems.push_back(problem_of_port(vm));
  }
  append(problems, find_missing_argument_files(vm.config, vm.host));
  return problems;
}

void log_findings(const ExaminedVm& examined) {
  for (const auto& note : examined.notes) log_info("{}", note);
  for (const auto& warning : examined.warnings) log_warn("{}", warning);
  for (const auto& collision : examined.collisions) log_warn("{}", collision.text);
}

ResolvedVm resolve_vm(const Arguments& arguments, const std::vector<std::string>& environment) {
  auto examined = examine_vm(arguments, environment);
  log_findings(examined);
  if (!examined.problems.empty()) throw InvalidConfig(std::move(examined.problems));
  return std::move(examined.vm);
}

}  // namespace vmr
