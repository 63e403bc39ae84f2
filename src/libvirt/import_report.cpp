// SPDX-License-Identifier: MIT
#include "libvirt/import_domain.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace vmr {
namespace {

/// The notes with one reason, as one line.
std::string line_of(const std::vector<const ImportNote*>& notes, std::string_view file_name) {
  constexpr std::size_t most_elements = 8;
  std::string elements;
  for (std::size_t i = 0; i < notes.size() && i < most_elements; ++i) {
    elements += i == 0 ? notes[i]->element
                       : fmt::format(", line {}: {}", notes[i]->line, notes[i]->element);
  }
  if (notes.size() > most_elements) {
    elements += fmt::format(" and {} more", notes.size() - most_elements);
  }
  const auto& first = *notes.front();
  return fmt::format("{}:{}: {}: {}{}", file_name, first.line, elements,
                     first.weight == NoteWeight::stops ? "the guest may not start as it is: " : "",
                     first.why);
}

}  // namespace

ImportReport report_of(const std::vector<ImportNote>& notes, std::string_view file_name,
                       bool verbose) {
  using Reason = std::pair<NoteWeight, std::string_view>;
  std::map<Reason, std::size_t> places;
  std::vector<std::vector<const ImportNote*>> groups;
  ImportReport report;
  for (const auto weight : {NoteWeight::stops, NoteWeight::matters, NoteWeight::minor}) {
    for (const auto& note : notes) {
      if (note.weight != weight) continue;
      if (weight == NoteWeight::minor && !verbose) {
        ++report.untold;
        continue;
      }
      const auto [place, is_new] = places.emplace(Reason(weight, note.why), groups.size());
      if (is_new) groups.emplace_back();
      groups[place->second].push_back(&note);
    }
  }
  for (const auto& group : groups) report.lines.push_back(line_of(group, file_name));
  return report;
}

}  // namespace vmr
