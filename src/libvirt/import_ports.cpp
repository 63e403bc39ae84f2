// SPDX-License-Identifier: MIT
#include "config/secrets.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace vmr {
namespace {

std::string_view target_of(DomainElement& port, std::string_view attribute) {
  const auto* target = find_child(port, "target");
  return target == nullptr ? std::string_view{} : peek(*target, attribute);
}

/// The first port that `is_ours` is what vm-runner's console or agent is.
template <typename Predicate>
void take_first(DomainElement& devices, std::string_view name, Predicate is_ours) {
  for (auto& port : devices.children) {
    if (port.name != name || !is_ours(port)) continue;
    take_all(port);
    return;
  }
}

}  // namespace

void import_ports(DomainElement& devices, Import& import) {
  const auto is_pty = [](const DomainElement& port) { return peek(port, "type") == "pty"; };
  take_first(devices, "serial", is_pty);
  take_first(devices, "console", [&](DomainElement& port) {
    const auto type = target_of(port, "type");
    return is_pty(port) && (type.empty() || type == "serial");
  });
  take_first(devices, "channel", [](DomainElement& port) {
    return target_of(port, "name") == "org.qemu.guest_agent.0";
  });
  for (auto& port : devices.children) {
    if (port.name != "serial" || port.taken) continue;
    import.lose(port, "the launcher has one serial port, the console");
    take_all(port);
  }
}

void import_command_line(DomainElement& domain, Import& import) {
  for (auto& line : domain.children) {
    if (!line.is_qemus || local_name(line) != "commandline") continue;
    line.taken = true;
    std::vector<std::string> words;
    for (auto& argument : line.children) {
      if (!argument.is_qemus || local_name(argument) != "arg") continue;
      argument.taken = true;
      // An empty value is an empty argument.
      if (const auto value = take(argument, "value")) words.push_back(*value);
    }
    if (words.empty()) continue;
    import.add_arguments(words);
    // Who wrote the domain may not be who starts it.
    import.change(line,
                  fmt::format("QEMU does with your rights whatever it says: read it before you "
                              "start this: {}",
                              command_for_log(words)));
  }
}

}  // namespace vmr
