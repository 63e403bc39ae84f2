// SPDX-License-Identifier: MIT
#include "libvirt/import_domain.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace vmr {
namespace {

/// Equal elements that the same is said of.
struct Elements {
  std::string_view text;
  std::size_t first_line = 1;
  std::size_t last_line = 1;
  std::size_t count = 1;
};

/// The notes with one reason, as one line.
std::string line_of(const std::vector<const ImportNote*>& notes, std::string_view file_name) {
  constexpr std::size_t most_elements = 8;
  std::map<std::string_view, std::size_t> places;
  std::vector<Elements> all;
  for (const auto* note : notes) {
    const auto [place, is_new] = places.emplace(note->element, all.size());
    if (is_new) {
      all.push_back({note->element, note->line, note->line});
    } else {
      all[place->second].last_line = note->line;
      ++all[place->second].count;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < all.size() && i < most_elements; ++i) {
    const auto& one = all[i];
    text += i == 0 ? std::string(one.text) : fmt::format(", line {}: {}", one.first_line, one.text);
    if (one.count > 1) text += fmt::format(" ({} of them, to line {})", one.count, one.last_line);
  }
  if (all.size() > most_elements) text += fmt::format(" and {} more", all.size() - most_elements);
  const auto& first = *notes.front();
  return fmt::format("{}:{}: {}: {}{}", file_name, first.line, text,
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
