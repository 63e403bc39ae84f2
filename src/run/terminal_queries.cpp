// SPDX-License-Identifier: MIT
// What is a sequence, and which of them are answered: ECMA-48, and xterm's "Control Sequences".
#include "run/terminal_queries.hpp"

#include <algorithm>

namespace vmr {
namespace {

constexpr std::string_view csi = "\x1b[";
constexpr std::string_view osc = "\x1b]";
constexpr std::string_view dcs = "\x1bP";
constexpr std::string_view string_end = "\x1b\\";

bool is_between(char c, char first, char last) {
  return c >= first && c <= last;
}

/// How long the CSI sequence is that `text` begins with: parameters and more, then one final byte.
std::size_t csi_size(std::string_view text) {
  auto end = csi.size();
  while (end < text.size() && is_between(text[end], 0x20, 0x3f)) ++end;
  const bool complete = end < text.size() && is_between(text[end], 0x40, 0x7e);
  return complete ? end + 1 : end;
}

/// How long the OSC or DCS string is that `text` begins with; BEL ends it too, another escape
/// sequence breaks it off.
std::size_t string_size(std::string_view text) {
  const auto end = std::min(text.find_first_of("\a\x1b", osc.size()), text.size());
  if (end == text.size()) return end;
  if (text[end] == '\a') return end + 1;
  return text.substr(end).starts_with(string_end) ? end + string_end.size() : end;
}

/// How long the control sequence is that `text` begins with; 1 when it is a mere character.
std::size_t sequence_size(std::string_view text) {
  if (text.starts_with(csi)) return csi_size(text);
  if (text.starts_with(osc) || text.starts_with(dcs)) return string_size(text);
  return text.starts_with("\x1bZ") ? 2 : 1;
}

bool is_csi_query(std::string_view sequence) {
  const auto parameters = sequence.substr(csi.size(), sequence.size() - csi.size() - 1);
  const bool has_more = parameters.find_first_of(" !\"#$%&'()*+,-./") != parameters.npos;
  switch (sequence.back()) {
    case 'c':  // what it is
    case 'n':  // how it is, where the cursor is
      return true;
    case 't':  // how large it is; also what makes it larger
    case 'x':  // its line settings
      return !has_more;
    case 'p':  // how a mode is set
      return parameters.ends_with('$');
    case 'q':  // its version
      return parameters.starts_with('>');
    case 'u':  // its keyboard
      return parameters.starts_with('?');
    default:
      return false;
  }
}

bool is_query(std::string_view sequence) {
  if (sequence == "\x05" || sequence == "\x1bZ") return true;
  if (sequence.starts_with(csi)) return sequence.size() > csi.size() && is_csi_query(sequence);
  if (!sequence.ends_with('\a') && !sequence.ends_with(string_end)) return false;
  if (sequence.starts_with(osc)) return sequence.find(";?") != sequence.npos;
  return sequence.starts_with("\x1bP$q") || sequence.starts_with("\x1bP+q");
}

/// Whether `sequence` is only the beginning of one.
bool is_open(std::string_view sequence) {
  if (sequence.starts_with(csi)) {
    return sequence.size() == csi.size() || !is_between(sequence.back(), 0x40, 0x7e);
  }
  if (sequence.starts_with(osc) || sequence.starts_with(dcs)) {
    return !sequence.ends_with('\a') && !sequence.ends_with(string_end);
  }
  return sequence == "\x1b";
}

struct Kept {
  std::string text;
  std::size_t complete = 0;  ///< so much of it has no open end
};

Kept keep_all_but_queries(std::string_view text) {
  Kept kept;
  while (!text.empty()) {
    const auto sequence = text.substr(0, sequence_size(text));
    text.remove_prefix(sequence.size());
    if (is_query(sequence)) {
      // With what follows, an open end would be another query.
      kept.text.resize(kept.complete);
    } else {
      kept.text += sequence;
      if (!is_open(sequence)) kept.complete = kept.text.size();
    }
  }
  return kept;
}

/// Longer than what any program asks; of a hostile guest's the rest comes as text.
constexpr std::size_t longest_held = 1024;

/// Whether what `held` begins will not be a query: no string goes over lines.
bool is_given_up(std::string_view held) {
  return held.size() > longest_held || held.find('\n') != held.npos;
}

}  // namespace

std::string without_queries(std::string_view text) {
  return keep_all_but_queries(text).text;
}

std::string QueryFilter::take(std::string_view text) {
  held_ += text;
  auto [shown, complete] = keep_all_but_queries(held_);
  held_ = shown.substr(complete);
  shown.resize(complete);
  if (is_given_up(held_)) {
    // Without what makes it a sequence: it could still become a query.
    std::erase(held_, '\x1b');
    shown += held_;
    held_.clear();
  }
  return shown;
}

}  // namespace vmr
