// SPDX-License-Identifier: MIT
#include "commands/launch_script.hpp"

#include "base/ascii.hpp"
#include "base/shell_words.hpp"
#include "config/disk_record.hpp"
#include "config/variables.hpp"
#include "plan/qemu_img.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

std::string array_name(const std::string& process) {
  std::string name = process;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// One argument a line, an option and its value on the same one.
std::string array_lines(const std::vector<std::string>& arguments) {
  std::string text;
  for (const auto& unit : units_of(arguments)) text += "\n  " + shell_join(unit);
  return text;
}

/// `comments` on lines of their own inside an array.
std::string indented(std::string_view comments) {
  std::string text;
  for (const char c : "\n" + std::string(comments)) {
    text += c;
    if (c == '\n') text += "  ";
  }
  // What follows begins with a newline.
  return text.substr(0, text.rfind('\n'));
}

/// "vm-runner listen 3=… -- "${array[@]}"": the sockets that the launcher would hand over.
std::string start_line(const ProcessPlan& process) {
  std::string line = "vm-runner listen";
  for (const auto& listener : process.listeners) {
    line += fmt::format(" {}", shell_quote(fmt::format("{}={}", listener.fd, listener.path)));
  }
  for (const auto& connection : process.connections) {
    line += fmt::format(" {}", shell_quote(fmt::format("{}@{}", connection.fd, connection.path)));
  }
  return line + fmt::format(" -- \"${{{}[@]}}\"", array_name(process.name));
}

/// The command that writes the seed with the settings of now; the password is not written down.
std::string seed_line(const LaunchPlan& plan, const SettingsSource& source) {
  const auto& [arguments, environment, folder] = source;
  std::vector<std::string> words = {"env"};
  for (const auto& variable : environment) {
    const auto key = find_setting(variable.substr(0, variable.find('=')));
    if (key && !is_secret(*key)) words.push_back(variable);
  }
  words.insert(words.end(), {"vm-runner", "seed", "-o", plan.paths.seed});
  for (const auto& assignment : arguments.assignments) {
    const auto key = find_setting(ascii_upper(assignment.substr(0, assignment.find('='))));
    if (key && !is_secret(*key)) words.insert(words.end(), {"--set", assignment});
  }
  if (!arguments.config_file.empty()) words.push_back(arguments.config_file);
  return fmt::format("(cd -- {} && {})", shell_quote(folder), shell_join(words));
}

/// Makes the persistent disk unless it is there from an earlier run.
std::string persistent_disk_lines(const Disk& disk, std::uint64_t virtual_size) {
  const auto path = shell_quote(disk.persistent);
  std::string record;
  if (!disk.record.empty()) {
    record = fmt::format("printf %s {} >{}", shell_quote(disk.record),
                         shell_quote(record_path_of(disk.persistent)));
  }
  const auto make =
      is_copied_as_file(disk)
          ? fmt::format("cp --no-preserve=mode -- {} {}", shell_quote(disk.image), path)
          : "qemu-img " + shell_join(words_to_make(disk, disk.persistent, virtual_size));
  std::string lines =
      fmt::format("[[ -e {0} ]] || {{ mkdir -p -- \"$(dirname -- {0})\" &&\n  (umask 077", path);
  for (const auto& [from, to] : disk.copies) {
    lines += fmt::format(" && cp -- {} {}", shell_quote(from), shell_quote(to));
  }
  if (!record.empty()) lines += " && " + record;
  return lines + fmt::format(" && {}); }}\n", make);
}

/// Takes the folder as a launcher does, by a lock on it that lasts as long as anything of this
/// lives. At the end only what was made here goes, and nothing of one that holds the lock.
std::string folder_lines(const LaunchPlan& plan, const QemuPlan& qemu) {
  std::vector<std::string> made;
  if (plan.seed) made.push_back(plan.paths.seed);
  const auto add = [&](const ProcessPlan& process) {
    for (const auto& listener : process.listeners) made.push_back(listener.path);
  };
  add(qemu.process);
  for (const auto& share : plan.shares) {
    if (share.helper) add(*share.helper);
  }
  const auto folder = shell_quote(plan.paths.folder);
  const auto refusal = fmt::format("error: a VM named '{}' is already running", plan.vm_name);
  return fmt::format(
      "umask go-w\n"
      "while :; do\n"
      "  mkdir -p -m 0700 -- {0}\n"
      "  exec {{lock}}<{0}\n"
      "  flock -n \"$lock\" || {{ printf '%s\\n' {1} >&2; exit 1; }}\n"
      "  # Whoever had it before may have removed it meanwhile.\n"
      "  [[ {0} -ef /dev/fd/$lock ]] && break\n"
      "done\n"
      "made=({2})\n"
      "trap {3} EXIT\n",
      folder, shell_quote(refusal), shell_join(made),
      shell_quote("rm -f -- \"${made[@]}\"; rmdir -- " + folder + " 2>/dev/null"));
}

}  // namespace

std::string bash_arrays(const std::vector<Part>& parts,
                        const std::vector<Explanation>& explanations, const std::string& qemu) {
  std::string helpers;
  std::string of_qemu;
  bool is_alone = qemu.empty();  // nothing above it in the array yet
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    const auto comments = explanations.empty() ? std::string() : as_comments(explanations[i]);
    if (part.is_helper) {
      helpers += fmt::format("{}{}=({}\n)\n", comments, array_name(part.name),
                             array_lines(part.arguments));
    } else {
      if (!comments.empty()) of_qemu += (is_alone ? "" : "\n") + indented(comments);
      is_alone = false;
      of_qemu += array_lines(part.arguments);
    }
  }
  if (qemu.empty() && of_qemu.empty()) return helpers;
  const auto start = qemu.empty() ? std::string("qemu+=(") : "qemu=(\n  " + shell_quote(qemu);
  return helpers + start + of_qemu + "\n)\n";
}

std::string launch_script(const LaunchPlan& plan, const QemuPlan& qemu,
                          const std::vector<Explanation>& explanations,
                          const SettingsSource& source, std::uint64_t virtual_size) {
  std::string script =
      "#!/usr/bin/env bash\n"
      "# What `vm-runner run` would start. `vm-runner listen FD=PATH -- COMMAND` stands for the\n"
      "# launcher's part: it binds each socket (FD@PATH: connects to it) and becomes COMMAND, "
      "which\n"
      "# finds it at FD.\n"
      "# GUEST_PASSWORD is not written down here: set it when you run this.\n"
      "# Reach the console with: socat -,raw,echo=0 UNIX-CONNECT:" +
      shell_quote(plan.paths.console) + "\nset -euo pipefail\n\n";
  script += bash_arrays(parts_of(plan, qemu), explanations, qemu.process.argv.front()) + "\n";

  script += folder_lines(plan, qemu);
  for (const auto& source : plan.create_folders) {
    script += fmt::format("mkdir -p -- {}\n", shell_quote(source));
  }
  if (plan.persistent_disk) script += persistent_disk_lines(*plan.persistent_disk, virtual_size);
  if (plan.seed) script += seed_line(plan, source) + "\n";
  for (const auto& share : plan.shares) {
    if (share.helper) script += start_line(*share.helper) + " &\n";
  }
  // The launcher binds the sockets before it starts anything; here QEMU could come first.
  for (const auto& share : plan.shares) {
    if (!share.helper) continue;
    for (const auto& listener : share.helper->listeners) {
      script += fmt::format("until [[ -S {} ]]; do sleep 0.01; done\n", shell_quote(listener.path));
    }
  }
  return script + start_line(qemu.process) + "\n";
}

}  // namespace vmr
