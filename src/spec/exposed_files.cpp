// SPDX-License-Identifier: MIT
#include "spec/exposed_files.hpp"

#include "spec/share_source.hpp"
#include "spec/start_paths.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {
namespace {

using Names = std::vector<std::string>;

bool is_below(std::string_view path, std::string_view folder) {
  if (path.empty() || folder.empty() || !path.starts_with(folder)) return false;
  return path.size() > folder.size() && (folder.back() == '/' || path[folder.size()] == '/');
}

/// Where the file itself is: by its real path, and by where that is on a device. A real path starts
/// with a slash, a place with a number: the two are never taken for each other.
Names names_of(const std::string& path, const Host& host) {
  return {real_path(path, host), facts_of(path, host).place};
}

/// The same of a folder, with what is mounted below it.
Names names_of_all_in(const std::string& folder, const Host& host) {
  auto names = names_of(folder, host);
  const auto& mounts = facts_of(folder, host).mounts_below;
  names.insert(names.end(), mounts.begin(), mounts.end());
  return names;
}

template <typename Relation>
bool any_pair(const Names& inner, const Names& outer, Relation relation) {
  return std::any_of(inner.begin(), inner.end(), [&](const std::string& one) {
    return std::any_of(outer.begin(), outer.end(),
                       [&](const std::string& other) { return relation(one, other); });
  });
}

bool is_at_or_below(const Names& inner, const Names& outer) {
  return any_pair(inner, outer, [](const std::string& one, const std::string& other) {
    return is_below(one, other) || (!one.empty() && one == other);
  });
}

/// How the share lets a guest decide what is at the path; empty: it does not.
std::string exposure_of(const StartPath& start, const Names& share, const Host& host) {
  const auto place = start.place.empty() ? "" : fmt::format(" ({})", start.place);
  const auto& path = start.path;
  if (is_at_or_below(names_of(path, host), share)) {
    return fmt::format("it has {} in it, '{}'{}", start.what, path, place);
  }
  // The folder itself no guest can replace.
  if (any_pair(facts_of(path, host).passed, share, is_below)) {
    return fmt::format("it has a part of the way to {} in it, '{}'{}", start.what, path, place);
  }
  if (start.with_all_below && is_at_or_below(share, names_of_all_in(path, host))) {
    return fmt::format("it is in {}, '{}'", start.what, path);
  }
  return {};
}

/// Whether the source is none that could be shared: no folder, or all of them.
bool is_refused_already(const Share& share, const Host& host) {
  const auto& facts = facts_of(share.source, host);
  const bool is_file =
      facts.kind == FileFacts::Kind::regular || facts.kind == FileFacts::Kind::other;
  return share.source.empty() || is_file || real_path(share.source, host) == "/";
}

/// What is found of a share, once each.
struct Exposures {
  Names texts;
  Names words;  ///< of ALLOW_IN_SHARE
  bool are_allowable = true;
};

void add_once(std::string text, Names& texts) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
}

Exposures find_exposures(const Config& config, const Share& share, const Host& host) {
  const auto names = names_of_all_in(share.source, host);
  const auto& allowed = config.allow_in_share.value;
  Exposures found;
  // The setting takes the place of the one that is there.
  for (const auto kind : allowed) add_once(std::string(word_for(kind)), found.words);
  Names paths;
  for (const auto& start : start_paths(config, host)) {
    const bool is_allowed =
        start.kind && std::find(allowed.begin(), allowed.end(), *start.kind) != allowed.end();
    if (is_allowed) continue;
    auto text = exposure_of(start, names, host);
    if (text.empty()) continue;
    if (start.kind) add_once(std::string(word_for(*start.kind)), found.words);
    found.are_allowable &= start.kind.has_value();
    const bool is_said = std::find(paths.begin(), paths.end(), start.path) != paths.end();
    paths.push_back(start.path);
    if (!is_said) found.texts.push_back(std::move(text));
  }
  return found;
}

/// Whether the guest of `writable` may change which folder the source of `share` is.
bool leads_through(const Share& share, const Share& writable, const Host& host) {
  if (writable.readonly || writable.source.empty()) return false;
  return any_pair(facts_of(share.source, host).passed, names_of_all_in(writable.source, host),
                  is_below);
}

std::string joined(const Names& texts) {
  constexpr std::size_t most = 5;
  if (texts.size() <= most) return fmt::format("{}", fmt::join(texts, "; "));
  return fmt::format("{}; and {} more", fmt::join(texts.begin(), texts.begin() + most, "; "),
                     texts.size() - most);
}

}  // namespace

void check_exposed_files(const Config& config, const ShareConfig& asked, const Share& share,
                         const Host& host, Findings& findings) {
  if (share.readonly || is_refused_already(share, host)) return;
  const auto found = find_exposures(config, share, host);
  if (found.texts.empty()) return;
  auto hint = fmt::format("share another folder, put that elsewhere, or set {}=1",
                          asked.readonly.origin.variable);
  if (found.are_allowable) {
    hint +=
        fmt::format("; ALLOW_IN_SHARE={} lets the guest decide it", fmt::join(found.words, ","));
  }
  findings.refuse(
      asked.source,
      joined(found.texts) + ": what the guest writes there decides what the next start opens",
      hint);
}

void check_ways_to_sources(const Config& config, const ShareConfig& asked, const Share& share,
                           std::span<const Share> others, const Host& host, Findings& findings) {
  const auto& allowed = config.allow_in_share.value;
  if (std::find(allowed.begin(), allowed.end(), StartKind::source) != allowed.end()) return;
  if (is_refused_already(share, host)) return;
  Names texts;
  for (const auto& other : others) {
    if (leads_through(share, other, host)) {
      texts.push_back(fmt::format("a part of the way to it is in '{}' (filesystem #{})",
                                  other.source, other.number));
    }
    if (other.number != share.number && leads_through(other, share, host)) {
      texts.push_back(fmt::format("it has a part of the way to '{}' (filesystem #{}) in it",
                                  other.source, other.number));
    }
  }
  if (texts.empty()) return;
  Names words;
  for (const auto kind : allowed) words.emplace_back(word_for(kind));
  words.emplace_back(word_for(StartKind::source));
  findings.refuse(
      asked.source, joined(texts) + ": the guest decides where that leads",
      fmt::format("name folders by the paths that they really have (realpath), or share "
                  "read-only; ALLOW_IN_SHARE={} lets the guest decide it",
                  fmt::join(words, ",")));
}

}  // namespace vmr
