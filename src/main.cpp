// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/print_output.hpp"
#include "config/load.hpp"
#include "config/secrets.hpp"
#include "run/listen.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

using vmr::Arguments;
using vmr::Command;
using vmr::ExitStatus;

using Strings = std::vector<std::string>;

/// The words from `first` up to the null pointer, with none of their secrets left in place: what is
/// there is in /proc/PID/cmdline and /proc/PID/environ, and in the environment of every child.
Strings take_words(char** first) {
  Strings words;
  for (char** word = first; *word != nullptr; ++word) {
    const auto& copy = words.emplace_back(*word);
    const auto start = vmr::secret_start(copy);
    ::explicit_bzero(*word + start, copy.size() - start);
  }
  return words;
}

int act(const Arguments& arguments, const Strings& environment) {
  const auto number = [](ExitStatus status) { return static_cast<int>(status); };
  switch (arguments.command) {
    case Command::run:
      return number(vmr::command_run(arguments, environment));
    case Command::args:
      return number(vmr::command_args(arguments, environment));
    case Command::doctor:
      return number(vmr::command_doctor(arguments, environment));
    case Command::config:
      return number(vmr::command_config(arguments, environment));
    case Command::import_domain:
      return number(vmr::command_import(arguments));
    case Command::seed:
      return number(vmr::command_seed(arguments, environment));
    case Command::status:
      return number(vmr::command_status(arguments, environment));
    case Command::stop:
      return number(vmr::command_stop(arguments, environment));
    case Command::console:
      return number(vmr::command_console(arguments, environment));
    case Command::exec:
      return vmr::command_exec(arguments, environment);
    case Command::share:
      return number(vmr::command_share(arguments, environment));
    case Command::listen:
      vmr::become_with_sockets(arguments.sockets, arguments.connections, arguments.qemu_args);
    case Command::help:
    case Command::version:
      vmr::print_output(arguments.text);
      return number(ExitStatus::ok);
  }
  return number(ExitStatus::failed);
}

/// Whether standard error is a terminal that may be given colours (https://no-color.org).
bool is_colour_terminal(const Strings& environment) {
  const auto says = [](const std::string& word) {
    return word == "TERM=dumb" || (word.starts_with("NO_COLOR=") && word != "NO_COLOR=");
  };
  return ::isatty(STDERR_FILENO) == 1 && std::none_of(environment.begin(), environment.end(), says);
}

int run(const Strings& argv, const Strings& environment) try {
  vmr::set_log_colour(is_colour_terminal(environment));
  // Also what is wrong with the words and with the configuration is told in it.
  vmr::set_log_format(vmr::early_log_format(argv, environment));
  return act(vmr::parse_arguments(argv), environment);
} catch (const vmr::ReaderGone&) {
  return static_cast<int>(ExitStatus::failed);
} catch (const vmr::InvalidConfig& invalid) {
  for (const auto& problem : invalid.problems) vmr::report(problem);
  return static_cast<int>(vmr::exit_status_of(invalid.problems));
} catch (const vmr::Error& error) {
  vmr::report(error);
  return static_cast<int>(error.status);
} catch (const std::exception& error) {
  vmr::report(vmr::Error(error.what(), "", ""));
  return static_cast<int>(ExitStatus::failed);
}

/// A closed standard stream would give its number to the first file or socket that is opened.
void open_missing_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // A result that nobody can have is not to seem printed.
    ::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_missing_streams();
  // With a mask of 0 every user of the host could write to whatever is made.
  ::umask(::umask(0) | S_IWOTH);
  const auto words = take_words(argc > 0 ? argv + 1 : argv);
  return run(words, take_words(environ));
}
