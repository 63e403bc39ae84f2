// SPDX-License-Identifier: MIT
#include "config/arguments.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/units.hpp"
#include "config/help.hpp"
#include "config/variables.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

using Strings = std::vector<std::string>;

constexpr std::array<std::pair<std::string_view, Command>, 12> commands = {
    {{"run", Command::run},
     {"args", Command::args},
     {"doctor", Command::doctor},
     {"config", Command::config},
     {"import", Command::import_domain},
     {"seed", Command::seed},
     {"status", Command::status},
     {"stop", Command::stop},
     {"console", Command::console},
     {"exec", Command::exec},
     {"share", Command::share},
     {"listen", Command::listen}}};

constexpr std::array<std::pair<std::string_view, ShareAction>, 3> share_actions = {
    {{"list", ShareAction::list}, {"add", ShareAction::add}, {"remove", ShareAction::remove}}};

using FormatWord = std::pair<std::string_view, Format>;

/// The formats of a command, its default first; none when it has no choice.
std::vector<FormatWord> formats_of(Command command) {
  switch (command) {
    case Command::status:
    case Command::share:
    case Command::doctor:
      return {{"table", Format::table}, {"json", Format::json}};
    case Command::config:
      return {{"toml", Format::toml}, {"json", Format::json}};
    case Command::args:
      return {{"shell", Format::shell}, {"lines", Format::lines}, {"json", Format::json}};
    default:
      return {};
  }
}

Error usage_error(const std::string& message,
                  std::string hint = "vm-runner --help shows the usage") {
  return {message, "", std::move(hint), ExitStatus::usage};
}

template <typename Table>
std::vector<std::string_view> words_of(const Table& table) {
  std::vector<std::string_view> words;
  words.reserve(table.size());
  for (const auto& [word, value] : table) words.push_back(word);
  return words;
}

/// The value of `word` in `table`; none when it is not there.
template <typename Table>
auto find_word(const Table& table, std::string_view word) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const auto& candidate) { return candidate.first == word; });
  return row == table.end() ? std::nullopt : std::optional(row->second);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& words) {
  const auto meant = nearest(word, words);
  return meant ? fmt::format("; did you mean '{}'?", *meant) : "";
}

bool is_config_file(std::string_view word) {
  return word.ends_with(".toml") || word.find('/') != word.npos;
}

/// argv, cut at its first `--`.
struct Words {
  Strings own;
  Strings behind;
  bool has_dashes = false;
};

Words cut_at_dashes(const Strings& argv) {
  const auto dashes = std::find(argv.begin(), argv.end(), "--");
  if (dashes == argv.end()) return {argv, {}, false};
  return {{argv.begin(), dashes}, {dashes + 1, argv.end()}, true};
}

/// Takes the command off the front of `words`; none when they begin without one.
std::optional<Command> take_command(Strings& words) {
  if (words.empty() || words.front().starts_with("-")) return std::nullopt;
  const std::string first = words.front();
  if (const auto command = find_word(commands, first)) {
    words.erase(words.begin());
    return command;
  }
  if (is_config_file(first)) return std::nullopt;
  throw usage_error(
      fmt::format("unknown command '{}'{}", first, did_you_mean(first, words_of(commands))),
      "vm-runner --help lists the commands; a configuration file ends in .toml or has a slash");
}

Format format_of(const std::vector<FormatWord>& formats, const std::string& word) {
  if (const auto format = find_word(formats, word)) return *format;
  const auto words = words_of(formats);
  throw usage_error(fmt::format("--format={}: unknown format{}", word, did_you_mean(word, words)),
                    fmt::format("one of: {}", fmt::join(words, ", ")));
}

/// Reads "FD=PATH" and "FD@PATH" words.
void read_sockets(const Strings& words, Arguments& arguments) {
  for (const auto& word : words) {
    const auto equals = std::min(word.find_first_of("=@"), word.size());
    const auto parsed = parse_number(std::string_view(word).substr(0, equals), 3, 1023);
    const auto* number = std::get_if<std::uint64_t>(&parsed);
    if (number == nullptr || equals + 1 >= word.size()) {
      throw usage_error(fmt::format("'{}': not of the form FD=PATH", word), "FD is 3 to 1023");
    }
    const int fd = static_cast<int>(*number);
    for (const auto* sockets : {&arguments.sockets, &arguments.connections}) {
      const bool again = std::any_of(sockets->begin(), sockets->end(),
                                     [&](const auto& socket) { return socket.first == fd; });
      if (again) throw usage_error(fmt::format("'{}': descriptor {} is given twice", word, fd));
    }
    auto& sockets = word[equals] == '=' ? arguments.sockets : arguments.connections;
    sockets.emplace_back(fd, word.substr(equals + 1));
  }
}

/// Refuses a setting that stands there without --set; its value may be a secret.
void refuse_bare_settings(const Strings& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool belongs_to_set = i > 0 && words[i - 1] == "--set";
    const auto start = words[i].find_first_not_of('-');
    const auto equals = words[i].find('=');
    if (belongs_to_set || start == words[i].npos || equals == words[i].npos || start > equals) {
      continue;
    }
    const auto key = ascii_upper(words[i].substr(start, equals - start));
    if (!find_setting(key) && !nearest_variable(key, 2)) continue;
    throw usage_error(fmt::format("'{}=…': a setting needs --set", words[i].substr(0, equals)),
                      fmt::format("--set {}=VALUE, or the environment variable", key));
  }
}

/// Parses `words` with `app`; CLI11 wants them last one first.
void parse(CLI::App& app, Strings words) {
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::CallForVersion&) {
    throw;
  } catch (const CLI::ParseError& error) {
    throw usage_error(error.what());
  }
}

/// `listen`: everything before `--` is a socket.
Arguments parse_listen(CLI::App& app, Words words) {
  // Not a positional of several values: CLI11 would take "[…]" in one apart.
  app.allow_extras();
  parse(app, std::move(words.own));
  Arguments arguments;
  arguments.command = Command::listen;
  read_sockets(app.remaining(), arguments);
  if (arguments.sockets.empty() && arguments.connections.empty())
    throw usage_error("listen: no FD=PATH given");
  if (words.behind.empty()) throw usage_error("listen: no command behind --");
  arguments.qemu_args = std::move(words.behind);
  return arguments;
}

/// What the words behind `--` are to a command.
void check_words_behind(Command command, const Words& words) {
  if (command == Command::exec && words.behind.empty()) {
    throw usage_error("exec: no command behind --", "for example: vm-runner exec -- uname -a");
  }
  constexpr std::array takers = {Command::run, Command::args, Command::doctor, Command::config,
                                 Command::exec};
  const bool takes_them = std::find(takers.begin(), takers.end(), command) != takers.end();
  if (takes_them || !words.has_dashes) return;
  const auto name = std::find_if(commands.begin(), commands.end(), [&](const auto& row) {
                      return row.second == command;
                    })->first;
  throw usage_error(fmt::format("{}: takes no QEMU arguments behind --", name));
}

/// Takes what `share` is to do, and with what, off the front of `words`.
void take_share_action(Strings& words, Arguments& arguments) {
  if (words.empty() || words.front().starts_with("-")) return;
  const auto action = find_word(share_actions, words.front());
  if (!action) {
    throw usage_error(fmt::format("share: unknown action '{}'{}", words.front(),
                                  did_you_mean(words.front(), words_of(share_actions))),
                      "one of: list, add, remove");
  }
  arguments.share_action = *action;
  words.erase(words.begin());
  const bool asks_for_help = std::any_of(words.begin(), words.end(), [](const auto& word) {
    return word == "-h" || word == "--help";
  });
  if (*action == ShareAction::list || asks_for_help) return;
  if (words.empty() || words.front().empty() || words.front().starts_with("-")) {
    throw *action == ShareAction::add
        ? usage_error("share add: no folder given", "for example: vm-runner share add /srv/data")
        : usage_error("share remove: no share given", "its tag or its number");
  }
  arguments.share = words.front();
  words.erase(words.begin());
}

/// `import`: nothing but libvirt's file.
Arguments parse_import(CLI::App& app, Words words) {
  Arguments arguments;
  arguments.command = Command::import_domain;
  app.add_option("domain", arguments.domain);
  app.add_flag("--verbose", arguments.verbose);
  check_words_behind(Command::import_domain, words);
  parse(app, std::move(words.own));
  if (arguments.domain.empty()) {
    throw usage_error("import: no file with a libvirt domain given",
                      "for example: virsh dumpxml NAME >NAME.xml; vm-runner import NAME.xml");
  }
  return arguments;
}

/// The options that only `args` has.
void add_args_options(CLI::App& app, Arguments& arguments) {
  app.add_flag("--explain", arguments.explain);
  app.add_option("--only", arguments.only)->type_name("GROUP");
  app.add_option("--diff", arguments.diff)->type_name("OTHER.toml");
}

/// Every other command: a configuration and what the command adds.
Arguments parse_configured(CLI::App& app, Command command, Words words) {
  Arguments arguments;
  arguments.command = command;
  if (command == Command::share) take_share_action(words.own, arguments);
  const auto formats = formats_of(command);
  std::string format(formats.empty() ? std::string_view() : formats.front().first);
  app.add_option("config", arguments.config_file);
  auto* set = app.add_option("--set")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  set->type_name("KEY=VALUE");
  if (!formats.empty()) app.add_option("--format", format);
  if (command == Command::args) add_args_options(app, arguments);
  if (command == Command::config) app.add_flag("--show-secrets", arguments.show_secrets);
  if (command == Command::status) app.add_flag("--healthy", arguments.healthy);
  if (command == Command::status) app.add_flag("--wait", arguments.wait);
  if (command == Command::status) app.add_flag("--security", arguments.security);
  if (command == Command::stop) app.add_flag("--now", arguments.now);
  if (command == Command::seed) app.add_option("-o", arguments.output)->type_name("FILE");
  refuse_bare_settings(words.own);
  parse(app, std::move(words.own));

  if (command == Command::seed && arguments.output.empty()) {
    throw usage_error("seed: no -o FILE given");
  }
  if (arguments.explain && !arguments.diff.empty()) {
    throw usage_error("args: --explain and --diff do not go together", "choose one of them");
  }
  if (!arguments.only.empty() && !arguments.diff.empty()) {
    throw usage_error("args: --only and --diff do not go together", "choose one of them");
  }
  if (arguments.security && (arguments.healthy || arguments.wait)) {
    throw usage_error("status: --security goes with neither --healthy nor --wait",
                      "ask one after the other");
  }
  check_words_behind(command, words);
  if (!arguments.config_file.empty() && !is_config_file(arguments.config_file)) {
    throw usage_error(fmt::format("'{}' is not a configuration file", arguments.config_file),
                      "its name ends in .toml or has a slash; a command comes first");
  }
  if (!formats.empty()) arguments.format = format_of(formats, format);
  arguments.assignments = set->results();
  arguments.qemu_args = std::move(words.behind);
  return arguments;
}

Arguments with_text(Command command, std::string text) {
  Arguments arguments;
  arguments.command = command;
  arguments.text = std::move(text);
  return arguments;
}

}  // namespace

Arguments parse_arguments(const std::vector<std::string>& argv) {
  Words words = cut_at_dashes(argv);
  const auto command = take_command(words.own);
  try {
    CLI::App app;
    app.set_version_flag("--version", version_text());
    if (command == Command::listen) return parse_listen(app, std::move(words));
    if (command == Command::import_domain) return parse_import(app, std::move(words));
    return parse_configured(app, command.value_or(Command::run), std::move(words));
  } catch (const CLI::CallForHelp&) {
    return with_text(Command::help, command ? help_text(*command) : help_text());
  } catch (const CLI::CallForVersion&) {
    return with_text(Command::version, version_text());
  }
}

}  // namespace vmr
