// SPDX-License-Identifier: MIT
#include "config/help.hpp"

#include "config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#ifndef VM_RUNNER_VERSION
#define VM_RUNNER_VERSION "0.0.0-dev"
#endif

namespace vmr {
namespace {

constexpr std::string_view introduction =
    R"(vm-runner starts one QEMU virtual machine with shared folders and looks after it.

Commands:
  vm-runner [run] [CONFIG.toml] [--set KEY=VALUE]... [-- QEMU ARGS...]
      start the VM and stay until it ends
  vm-runner args [CONFIG.toml] [--set KEY=VALUE]... [--format=shell|lines|json] [-- QEMU ARGS...]
      print every command line that run would execute; start nothing; with --explain why each is
      there, with --only=GROUP a part, with --diff OTHER.toml what that file would change
  vm-runner doctor [CONFIG.toml] [--set KEY=VALUE]... [--format=table|json] [-- QEMU ARGS...]
      tell what this host or container allows and what to do about the rest; 0 if run would work
  vm-runner config [CONFIG.toml] [--set KEY=VALUE]... [--format=toml|json] [--show-secrets]
      print the configuration, each setting with where it came from
  vm-runner import DOMAIN.xml [--verbose]
      turn a libvirt domain into a CONFIG.toml; what it cannot carry over is told line by line
  vm-runner seed -o FILE [CONFIG.toml] [--set KEY=VALUE]...
      write only the NoCloud image
  vm-runner status [CONFIG.toml] [--set GUEST_NAME=NAME] [--format=table|json] [--healthy] [--wait]
      tell how the running VM is; with --healthy: 0 if its guest is up with every share, else 1;
      with --wait: as soon as that is settled
  vm-runner stop [CONFIG.toml] [--set GUEST_NAME=NAME] [--now]
      stop the running VM and wait until it has ended; with --now without waiting for the guest
  vm-runner exec [CONFIG.toml] [--set GUEST_NAME=NAME] -- COMMAND...
      run a command in the guest; its exit status is that of the command
  vm-runner share list|add FOLDER|remove SHARE [--set KEY=VALUE]... [--format=table|json]
      list the shares of the running VM, add a virtiofs share to it, or remove an added one
  vm-runner console [CONFIG.toml] [--set GUEST_NAME=NAME]
      attach to the console of the running VM; Ctrl-] three times leaves it and the VM goes on
  vm-runner listen FD=PATH... -- COMMAND...
      become COMMAND with a listening UNIX socket at each PATH (for the script that args prints)
  vm-runner [COMMAND] --help, vm-runner --version

Exit status:
  0  the guest powered off, or stopped as asked
  1  QEMU or vm-runner failed
  2  wrong configuration or usage
  3  this host or container cannot run it
  4  a virtiofsd died
  5  the guest did not stop in time and was killed
)";

constexpr std::string_view sources = R"(
Settings: --set KEY=VALUE wins over the environment, which wins over CONFIG.toml, where the names
are in lower case. An empty value means unset. Yes or no: 1 true yes on, 0 false no off.

)";

constexpr std::string_view shares = R"(
Shares: FILESYSTEM_... is the first, FILESYSTEM2_... the second and so on; in CONFIG.toml each is a
table [[share]] with the keys source, target, ...

)";

constexpr std::string_view common_options =
    R"(  CONFIG.toml      configuration; its name ends in .toml or has a slash
  --set KEY=VALUE  set one variable; wins over the environment and CONFIG.toml
  -h, --help       print this
)";

/// What one command is for.
struct CommandHelp {
  Command command;
  std::string_view usage;
  std::string_view meaning;
  std::string_view options{};
  bool is_configured = true;  ///< takes a CONFIG.toml and --set
};

constexpr auto command_helps = std::to_array<CommandHelp>({
    {Command::run, "[run] [CONFIG.toml] [--set KEY=VALUE]... [-- QEMU ARGS...]",
     "Starts the VM and stays until it ends."},
    {Command::args, "args [CONFIG.toml] [--set KEY=VALUE]... [--format=FORMAT] [-- QEMU ARGS...]",
     "Prints every command line that run would execute and starts nothing.",
     "  --format=FORMAT  shell (a script that can be run), lines or json\n"
     "  --explain        above each group of arguments what it is for, and the settings that "
     "caused "
     "it\n"
     "  --only=GROUP     only this group: memory, shares, ...\n"
     "  --diff OTHER     what changes with the configuration file OTHER instead, argument by "
     "argument\n"},
    {Command::doctor,
     "doctor [CONFIG.toml] [--set KEY=VALUE]... [--format=FORMAT] [-- QEMU ARGS...]",
     "Tells what this host or container allows, with its evidence, and how to get what it does "
     "not.\nThe exit status is 0 only if run would work.",
     "  --format=FORMAT  table or json\n"},
    {Command::config,
     "config [CONFIG.toml] [--set KEY=VALUE]... [--format=FORMAT] [-- QEMU ARGS...]",
     "Prints the configuration as it is put together, each setting with where it came from. The "
     "TOML\ncan be given back as CONFIG.toml.",
     "  --format=FORMAT  toml or json\n"
     "  --show-secrets   show the password, too\n"},
    {Command::import_domain, "import DOMAIN.xml [--verbose]",
     "Prints the configuration file that makes of a libvirt domain (virsh dumpxml) a VM of "
     "vm-runner's,\nand on standard error what could not be carried over: first what keeps the "
     "guest "
     "from starting.\nDOMAIN.xml may be - for standard input.",
     "  --verbose        tell what hardly matters, too\n"
     "  -h, --help       print this\n",
     false},
    {Command::seed, "seed -o FILE [CONFIG.toml] [--set KEY=VALUE]...",
     "Writes only the NoCloud image.", "  -o FILE          image to write\n"},
    {Command::status, "status [CONFIG.toml] [--set GUEST_NAME=NAME] [--format=FORMAT] [--healthy]",
     "Tells how the running VM of this name is.",
     "  --format=FORMAT  table or json\n"
     "  --healthy        only tell whether the guest is up and every share mounted: exit status 0 "
     "or 1\n"
     "  --security       what each of its processes may do, as the kernel tells\n"
     "  --wait           wait until the guest is up with every share (0), or will not be (1)\n"},
    {Command::stop, "stop [CONFIG.toml] [--set GUEST_NAME=NAME] [--now]",
     "Stops the running VM of this name and waits until it has ended. The exit status is "
     "the\nlauncher's own.",
     "  --now            do not wait for the guest to power off\n"},
    {Command::exec, "exec [CONFIG.toml] [--set GUEST_NAME=NAME] -- COMMAND...",
     "Runs COMMAND in the guest of this name by its guest agent, with its standard input, output "
     "and\nerror here. The exit status is that of the command, 128 and the number of a signal that "
     "ended it."},
    {Command::share, "share [list|add FOLDER|remove SHARE] [--set KEY=VALUE]... [--format=FORMAT]",
     "Lists the shares of the running VM, adds FOLDER over virtiofs, or removes one that was "
     "added: "
     "SHARE\nis its tag or number. `add` ends when the guest has mounted it. The keys of --set are "
     "those of a share\n(TARGET, MOUNT, READONLY, ...) and GUEST_NAME.",
     "  --format=FORMAT  table or json\n"},
    {Command::console, "console [CONFIG.toml] [--set GUEST_NAME=NAME]",
     "Attaches to the serial console of the running VM of this name: shows the last 64 KiB of it "
     "and\nwhat follows, and sends what is typed. Ctrl-] three times leaves it, and the VM goes "
     "on."},
    {Command::listen, "listen FD=PATH... -- COMMAND...",
     "Binds a UNIX socket at each PATH and becomes COMMAND with it listening on descriptor FD "
     "(3 to 1023).\nFD@PATH connects to the one that listens at PATH instead.",
     "  -h, --help       print this\n", false},
});

constexpr std::size_t width = 100;

/// `text` broken between words, so that with `indent` columns before it each line fits.
std::string wrap(std::string_view text, std::size_t indent) {
  std::string wrapped;
  while (text.size() > width - indent) {
    const auto space = text.rfind(' ', width - indent);
    if (space == text.npos) break;
    wrapped += fmt::format("{}\n{:{}}", text.substr(0, space), "", indent);
    text.remove_prefix(space + 1);
  }
  return wrapped.append(text);
}

std::string row(std::string_view name, std::string_view default_value, std::string_view meaning) {
  const auto start = fmt::format("  {:<27} {:<11} ", name, default_value);
  return fmt::format("{}{}\n", start, wrap(meaning, start.size()));
}

}  // namespace

std::string help_text() {
  std::string text(introduction);
  text += sources;
  text += row("Variable", "Default", "Meaning");
  for (const auto& setting : vm_settings()) {
    text += row(setting.name, setting.default_value, setting.meaning);
  }
  text += shares;
  for (const auto& setting : share_settings()) {
    text += row(share_variable(1, setting.name), setting.default_value, setting.meaning);
  }
  return text;
}

std::string help_text(Command command) {
  const auto help = std::find_if(command_helps.begin(), command_helps.end(),
                                 [&](const CommandHelp& row) { return row.command == command; });
  if (help == command_helps.end()) return help_text();
  return fmt::format("vm-runner {}\n\n{}\n\n{}{}", help->usage, help->meaning,
                     help->is_configured ? common_options : "", help->options);
}

std::string version_text() {
  return "vm-runner " VM_RUNNER_VERSION "\n";
}

}  // namespace vmr
