// SPDX-License-Identifier: MIT
// What else tells cloud-init where its seed is, so that ours would not be the one.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vmr {

/// What a word tells cloud-init.
struct SeedWord {
  enum class Effect {
    replaces,   ///< our seed has no effect: another is taken, or none
    adds,       ///< only a name or an id of ours is replaced
    configures  ///< cloud-init takes more settings than ours
  };
  std::string word;
  Effect effect = Effect::replaces;

  bool operator==(const SeedWord&) const = default;
};

/// The first word of a kernel's command line with which our seed would not be the one, else one
/// that adds to it. The settings in `cc: … end_cc` count as one word.
std::optional<SeedWord> find_seed_word(std::string_view command_line);

/// The same of a machine's serial number, in which cloud-init looks for `ds=nocloud`.
std::optional<SeedWord> find_seed_word_in_serial(std::string_view serial);

/// Refuses what takes the effect of our seed, and warns of what takes some of it: in CMDLINE, in
/// `guest_cmdline`, which comes with the image, and in the user's own QEMU arguments; also a disk
/// among these that is a seed itself.
void check_second_seed(const Config& config, const Host& host, const std::string& guest_cmdline,
                       Findings& findings);

}  // namespace vmr
