// SPDX-License-Identifier: MIT
// The command line, taken apart.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vmr {

enum class Command {
  run,
  args,
  doctor,
  config,
  import_domain,
  seed,
  status,
  stop,
  console,
  exec,
  share,
  listen,
  help,
  version
};
enum class ShareAction { list, add, remove };
enum class Format { shell, lines, json, table, toml };

struct Arguments {
  Command command = Command::run;
  std::string config_file;               ///< empty: none
  std::vector<std::string> assignments;  ///< "KEY=VALUE" of each --set
  std::vector<std::string> qemu_args;    ///< behind `--` (`listen`, `exec`: the command)
  Format format = Format::shell;         ///< of what is printed; each command takes some
  bool explain = false;                  ///< of `args`: with the reason of each argument
  std::string only;                      ///< of `args`: one group of arguments; empty: all
  std::string diff;                      ///< of `args`: the other configuration file; empty: none
  bool show_secrets = false;             ///< of `config`
  std::string domain;                    ///< of `import`: the file with libvirt's XML
  bool verbose = false;                  ///< of `import`: with what hardly matters, too
  bool healthy = false;                  ///< of `status`: only tell whether it is
  bool wait = false;                     ///< of `status`: until it is settled
  bool security = false;                 ///< of `status`: what each process may do
  bool now = false;                      ///< of `stop`: without waiting for the guest
  ShareAction share_action = ShareAction::list;  ///< of `share`
  std::string share;   ///< of `share add` a folder, of `remove` a tag or number
  std::string output;  ///< of `seed`: file to write
  std::vector<std::pair<int, std::string>> sockets;      ///< of `listen`: descriptor, path
  std::vector<std::pair<int, std::string>> connections;  ///< the same of those it connects to
  std::string text;                                      ///< of `help`, `version`: what to print

  bool operator==(const Arguments&) const = default;
};

/// Parses argv without the program's name. Throws Error (usage) with a message that names the word.
Arguments parse_arguments(const std::vector<std::string>& argv);

}  // namespace vmr
