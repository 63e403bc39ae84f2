// SPDX-License-Identifier: MIT
#include "config/guest_toml.hpp"

#include "base/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
// As in toml.cpp, where its functions are compiled.
#define TOML_EXCEPTIONS 1
#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 0
#endif
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace vmr {
namespace {

constexpr std::string_view arch_key = "arch";

/// The keys that are plain text.
constexpr std::array<std::pair<std::string_view, Given<std::string> GuestToml::*>, 7> texts = {
    {{"name", &GuestToml::name},
     {"kernel", &GuestToml::kernel},
     {"initrd", &GuestToml::initrd},
     {"disk", &GuestToml::disk},
     {"cmdline", &GuestToml::cmdline},
     {"login_user", &GuestToml::login_user},
     {"digest", &GuestToml::digest}}};

/// What others call the architectures.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> other_names = {
    {{"arm64", "aarch64"},
     {"armv8", "aarch64"},
     {"amd64", "x86_64"},
     {"x86-64", "x86_64"},
     {"x64", "x86_64"},
     {"x86", "x86_64"}}};

class GuestTomlReader {
 public:
  explicit GuestTomlReader(const std::string& name) : name_(name) {}

  GuestToml read(const toml::table& document) {
    for (const auto& [key, node] : document) read_key(key, node);
    if (!document.contains("kernel")) {
      check_kernels_own(guest_.initrd);
      check_kernels_own(guest_.cmdline);
    }
    if (guest_.problems.empty() && guest_.kernel.value.empty() && guest_.disk.value.empty()) {
      guest_.problems.push_back({"it names neither a kernel nor a disk", name_,
                                 "set kernel or disk to a file beside it"});
    }
    return std::move(guest_);
  }

 private:
  void read_key(const toml::key& key, const toml::node& node) {
    const std::string word(key.str());
    const auto* const text = std::find_if(texts.begin(), texts.end(),
                                          [&](const auto& entry) { return entry.first == word; });
    if (text == texts.end() && word != arch_key) {
      add_problem(fmt::format("{}: unknown setting", word), word, key.source(), hint_for(word));
      return;
    }
    const auto* value = node.as_string();
    if (value == nullptr) {
      add_problem(fmt::format("{}: not a string", word), word, node.source(),
                  "write it in quotes: " + word + " = \"…\"");
    } else if (value->get().find('\0') != std::string::npos) {
      add_problem(fmt::format("{}: contains a NUL character", word), word, node.source(),
                  "leave the character out");
    } else if (word == arch_key) {
      read_architecture(value->get(), node);
    } else {
      guest_.*(text->second) = {value->get(), {Source::file, word, place(node.source())}};
    }
  }

  /// Refuses what only a kernel could have used.
  void check_kernels_own(const Given<std::string>& given) {
    if (given.value.empty()) return;
    guest_.problems.push_back(
        {fmt::format("{}='{}': only used with a kernel, and the file names none",
                     given.origin.variable, given.value),
         describe(given.origin), "set kernel to a file beside it, or leave it out"});
  }

  void read_architecture(const std::string& value, const toml::node& node) {
    std::vector<std::string_view> words;
    for (const auto& [word, architecture] : Words<Architecture>::list) {
      // Other words for the same are for people: a file says what QEMU does.
      if (word != word_for(architecture)) continue;
      words.push_back(word);
      if (word != value) continue;
      guest_.architecture = {architecture,
                             {Source::file, std::string(arch_key), place(node.source())}};
      return;
    }
    std::optional<std::string> meant;
    for (const auto& [other, word] : other_names) {
      if (other == value) meant = word;
    }
    if (!meant) meant = nearest(value, words);
    const auto all = fmt::format("one of: {}", fmt::join(words, ", "));
    add_problem(fmt::format("{}='{}': not an architecture", arch_key, value), arch_key,
                node.source(), meant ? fmt::format("did you mean '{}'? {}", *meant, all) : all);
  }

  static std::string hint_for(std::string_view key) {
    std::vector<std::string_view> keys = {arch_key};
    for (const auto& [known, member] : texts) keys.push_back(known);
    if (const auto meant = nearest(key, keys)) return fmt::format("did you mean {}?", *meant);
    return fmt::format("it may have: {}", fmt::join(keys, ", "));
  }

  void add_problem(std::string message, std::string_view key, const toml::source_region& source,
                   std::string hint) {
    guest_.problems.push_back(
        {std::move(message), fmt::format("{} ({})", key, place(source)), std::move(hint)});
  }

  [[nodiscard]] std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}", name_, source.begin.line);
  }

  const std::string& name_;
  GuestToml guest_;
};

}  // namespace

GuestToml read_guest_toml(std::string_view text, const std::string& name) {
  try {
    return GuestTomlReader(name).read(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    GuestToml guest;
    guest.problems.push_back({fmt::format("{}: {}", name, error.description()),
                              fmt::format("{}:{}:{}", name, at.line, at.column),
                              "correct the TOML there"});
    return guest;
  }
}

}  // namespace vmr
