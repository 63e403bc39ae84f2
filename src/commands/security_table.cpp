// SPDX-License-Identifier: MIT
#include "commands/security_table.hpp"

#include "base/printable.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vmr {
namespace {

namespace json = boost::json;

std::string_view seccomp_word(int mode) {
  return mode == 2 ? "filter" : mode == 1 ? "strict" : "none";
}

std::string list_of(const std::vector<std::string>& words) {
  return words.empty() ? "-" : fmt::format("{}", fmt::join(words, " "));
}

/// The words of `process` for what of it Landlock holds; none: of a launcher that does not tell.
std::optional<std::vector<std::string>> landlock_of(const json::object& process) {
  const auto* words = process.if_contains("landlock");
  if (words == nullptr || !words->is_array()) return std::nullopt;
  std::vector<std::string> held;
  for (const auto& word : words->as_array()) {
    if (word.is_string()) held.emplace_back(word.as_string());
  }
  return held;
}

void append(std::vector<ProcessSecurity>& processes, const std::string& name,
            const json::object& process, pid_t launcher) {
  const auto* pid = process.if_contains("pid");
  if (pid == nullptr || !pid->is_int64()) return;
  auto more = read_process_security(name, static_cast<pid_t>(pid->as_int64()), launcher);
  // What a process starts is held as it is itself.
  for (auto& one : more) one.landlock = landlock_of(process);
  processes.insert(processes.end(), more.begin(), more.end());
}

}  // namespace

std::vector<ProcessSecurity> read_processes(const json::object& status) {
  const auto* own = status.if_contains("pid");
  const auto launcher =
      own != nullptr && own->is_int64() ? static_cast<pid_t>(own->as_int64()) : pid_t{0};
  std::vector<ProcessSecurity> processes;
  append(processes, "launcher", {{"pid", launcher}, {"landlock", json::array()}}, launcher);
  if (const auto* qemu = status.if_contains("qemu")) {
    append(processes, "qemu", qemu->as_object(), launcher);
  }
  for (const auto& helper : status.at("helpers").as_array()) {
    const auto& object = helper.as_object();
    append(processes, std::string(object.at("name").as_string()), object, launcher);
  }
  return processes;
}

std::string security_table(const std::vector<ProcessSecurity>& processes) {
  const auto row = [](const auto&... cells) {
    return fmt::format("{:<18} {:>7} {:>6} {:<8} {:<13} {:<14} {:<30} {}\n", cells...);
  };
  auto text = row("PROCESS", "PID", "UID", "SECCOMP", "NO_NEW_PRIVS", "NAMESPACES", "LANDLOCK",
                  "CAPABILITIES");
  for (const auto& process : processes) {
    text += row(on_one_line(process.name), process.pid, process.uid, seccomp_word(process.seccomp),
                process.no_new_privileges ? "yes" : "no",
                process.namespaces ? list_of(*process.namespaces) : "?",
                process.landlock ? list_of(*process.landlock) : "?",
                list_of(names_of(process.capabilities)));
  }
  return text;
}

json::array security_json(const std::vector<ProcessSecurity>& processes) {
  json::array rows;
  for (const auto& process : processes) {
    rows.push_back({{"name", process.name},
                    {"pid", process.pid},
                    {"uid", process.uid},
                    {"capabilities", to_json(names_of(process.capabilities))},
                    {"seccomp", std::string(seccomp_word(process.seccomp))},
                    {"no_new_privs", process.no_new_privileges},
                    {"namespaces", process.namespaces ? json::value(to_json(*process.namespaces))
                                                      : json::value(nullptr)},
                    {"landlock", process.landlock ? json::value(to_json(*process.landlock))
                                                  : json::value(nullptr)}});
  }
  return rows;
}

std::string describe(const ProcessSecurity& process) {
  const auto names = names_of(process.capabilities);
  const auto capabilities = names.empty() ? std::string("no capabilities")
                                          : fmt::format("capabilities {}", fmt::join(names, " "));
  const auto& own = process.namespaces;
  const auto namespaces = !own           ? std::string("namespaces that cannot be seen from here")
                          : own->empty() ? std::string("no namespaces of its own")
                                         : fmt::format("own namespaces {}", fmt::join(*own, " "));
  const auto& held = process.landlock;
  const auto landlock = !held           ? std::string("Landlock unknown")
                        : held->empty() ? std::string("no Landlock")
                                        : fmt::format("Landlock {}", fmt::join(*held, " "));
  return fmt::format("uid {}, {}, seccomp {}, {}, {}, {}", process.uid, capabilities,
                     seccomp_word(process.seccomp),
                     process.no_new_privileges ? "no_new_privs" : "may gain privileges", namespaces,
                     landlock);
}

}  // namespace vmr
