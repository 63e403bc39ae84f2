// SPDX-License-Identifier: MIT
#include "libvirt/import_domain.hpp"

#include "base/shell_words.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vmr {

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void Import::set_share(int number, std::string name, std::string text) {
  if (text.empty()) return;
  found.settings.push_back({{number, std::move(name)}, std::move(text)});
}

bool Import::has(std::string_view name) const {
  return std::any_of(found.settings.begin(), found.settings.end(), [&](const auto& setting) {
    return setting.key.share == 0 && setting.key.name == name;
  });
}

void Import::add_arguments(const std::vector<std::string>& words) {
  extra_args.insert(extra_args.end(), words.begin(), words.end());
}

void Import::lose(const DomainElement& element, std::string_view why, NoteWeight weight) {
  found.notes.push_back(
      {element.line, describe(element), fmt::format("not carried over: {}", why), weight});
}

void Import::change(const DomainElement& element, std::string_view what, NoteWeight weight) {
  found.notes.push_back(
      {element.line, describe(element), fmt::format("carried over, but {}", what), weight});
}

void Import::set_path(const DomainElement& element, int share, const std::string& name,
                      const std::string& path) {
  if (path.empty()) return;
  if (path.front() == '/') {
    set_share(share, name, path);
  } else {
    lose(element,
         "the path is not absolute; set " + variable_of({share, name}) + " to the whole path",
         NoteWeight::stops);
  }
}

ImportedDomain import_domain(std::string_view text, const std::string& file_name) {
  auto domain = parse_domain(text, file_name);
  Import import;
  domain.taken = true;
  import_machine(domain, import);
  auto* const found_devices = take_child(domain, "devices");
  DomainElement none{"devices", domain.line, {}, {}, {}, true};
  auto& devices = found_devices == nullptr ? none : *found_devices;
  import_disks(devices, import);
  import_interfaces(devices, import);
  import_ports(devices, import);
  import_sysinfo(domain, import);
  import_usb(domain, devices, import);
  import_command_line(domain, import);
  import.set("EXTRA_ARGS", shell_join(import.extra_args));
  import_filesystems(devices, import);
  note_rest(domain, import);
  auto& notes = import.found.notes;
  std::stable_sort(notes.begin(), notes.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return std::move(import.found);
}

std::string describe(const ImportNote& note, std::string_view file_name) {
  return fmt::format("{}:{}: {}: {}", file_name, note.line, note.element, note.why);
}

}  // namespace vmr
