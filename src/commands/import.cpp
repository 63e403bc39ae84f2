// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "commands/commands.hpp"
#include "commands/import_check.hpp"
#include "commands/print_output.hpp"
#include "libvirt/domain_tree.hpp"
#include "libvirt/import_domain.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace vmr {
namespace {

/// What is in the file, or a little more of it than is ever read; "-" is standard input.
std::string read_domain(const std::string& path) {
  const auto refuse = [&] {
    throw Error(fmt::format("the domain '{}' cannot be read", path), std::strerror(errno),
                "correct the path, or give - for standard input", ExitStatus::usage);
  };
  UniqueFd opened;
  if (path != "-") {
    opened.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) refuse();
  }
  const int fd = path == "-" ? STDIN_FILENO : opened.get();
  std::string text(most_domain_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto count = ::read(fd, text.data() + size, text.size() - size);
    if (count == 0) break;
    if (count < 0 && errno != EINTR) refuse();
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

}  // namespace

ExitStatus command_import(const Arguments& arguments) {
  const auto name = arguments.domain == "-" ? std::string("standard input") : arguments.domain;
  const auto imported = import_domain(read_domain(arguments.domain), name);
  for (const auto& line : refused_arguments(imported.settings)) {
    log_warn("{}: the guest may not start as it is: {}", name, line);
  }
  const auto report = report_of(imported.notes, name, arguments.verbose);
  for (const auto& line : report.lines) log_warn("{}", line);
  if (report.untold != 0) {
    log_info("{} not carried over and hardly matter{} here: import --verbose tells",
             report.untold == 1 ? std::string("1 more part is")
                                : fmt::format("{} more parts are", report.untold),
             report.untold == 1 ? "s" : "");
  }
  const auto text = print_toml(imported.settings);
  print_output(text);
  return ExitStatus::ok;
}

}  // namespace vmr
