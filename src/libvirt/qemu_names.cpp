// SPDX-License-Identifier: MIT
#include "libvirt/qemu_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

namespace vmr {
namespace {

constexpr std::string_view digits = "0123456789";

/// A release of QEMU's, after which a machine type is named.
using Release = std::pair<unsigned, unsigned>;

/// The last that this program knows of: what is behind it may be anything.
constexpr Release newest_release = {11, 2};

std::optional<unsigned> read_number(std::string_view text) {
  unsigned number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  // Nobody writes "q35-07.2", and no machine type is called so.
  const bool is_plain = text.size() == 1 || !text.starts_with('0');
  return error == std::errc() && stop == end && is_plain ? std::optional(number) : std::nullopt;
}

/// Whether QEMU has made a release "8.2" (or "4.0.1"), and not before `oldest`.
bool is_release(std::string_view text, Release oldest) {
  // The only machine type with a third number.
  if (text == "4.0.1") return true;
  const auto dot = text.find('.');
  if (dot == text.npos) return false;
  const auto major = read_number(text.substr(0, dot));
  const auto minor = read_number(text.substr(dot + 1));
  if (!major || !minor) return false;
  // Three a year since 4.0.
  const unsigned last = *major == 1 ? 7 : *major == 2 ? 12 : *major == 3 ? 1 : 2;
  const Release release = {*major, *minor};
  return *minor <= last && release >= oldest && release <= newest_release;
}

struct Family {
  std::string_view prefix;
  std::string_view name;
  Release oldest = newest_release;  ///< that it has a machine type of in QEMU 7.2 and later
};

/// The first that fits. Before there were two PCs, the versions followed "pc-" at once, and all of
/// them are gone from QEMU; the names without one are of distributions.
constexpr std::array pcs = std::to_array<Family>({{"pc-q35-", "q35", {2, 4}},
                                                  {"pc-i440fx-", "pc", {1, 4}},
                                                  {"pc-", "pc"},
                                                  {"rhel5", "pc"},
                                                  {"rhel6", "pc"},
                                                  {"ubuntu-q35", "q35"},
                                                  {"ubuntu", "pc"}});
constexpr std::array arms = std::to_array<Family>({{"virt-", "virt", {2, 6}}});

MachineChoice choose_among(std::span<const Family> families, std::string_view machine) {
  for (const auto& [prefix, name, oldest] : families) {
    if (!machine.starts_with(prefix)) continue;
    const bool is_own = prefix.ends_with('-') && is_release(machine.substr(prefix.size()), oldest);
    return is_own ? MachineChoice{machine, MachineFit::fits}
                  : MachineChoice{name, MachineFit::of_a_kind};
  }
  return {families.front().name, MachineFit::foreign};
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return letters_and_digits.find(c) != letters_and_digits.npos || c == '-' || c == '.' ||
           c == '_';
  });
}

MachineChoice choose_machine(std::string_view machine, bool is_arm) {
  const bool is_alias = is_arm ? machine == "virt" : machine == "q35" || machine == "pc";
  if (is_alias) return {machine, MachineFit::fits};
  if (is_arm) return choose_among(arms, machine);
  return choose_among(pcs, machine);
}

bool is_model_of_libvirt(std::string_view model) {
  // As with the features: in libvirt's CPU map, and not in QEMU 7.2 or later.
  constexpr std::array<std::string_view, 5> of_libvirt = {
      "pentiumpro", "cpu64-rhel5", "cpu64-rhel6", "Icelake-Client", "Icelake-Client-noTSX"};
  return std::find(of_libvirt.begin(), of_libvirt.end(), model) != of_libvirt.end();
}

bool is_feature_of_libvirt(std::string_view feature, bool is_arm) {
  if (is_arm) {
    // Of the host's, which libvirt compares only; these few are properties of QEMU's CPUs.
    constexpr std::array<std::string_view, 5> own = {"aarch64", "pmu", "pauth", "sve", "sme"};
    const bool is_length = feature.starts_with("sve") && feature.size() > 3 &&
                           feature.substr(3).find_first_not_of(digits) == feature.npos;
    return !is_length && std::find(own.begin(), own.end(), feature) == own.end();
  }
  // libvirt refuses a name that is not in its CPU map; these are in it and in no QEMU. The
  // processor has them, or did: monitoring of caches, and what a kernel sets itself.
  constexpr std::array<std::string_view, 7> of_libvirt = {
      "cmt", "cvt16", "mbm_local", "mbm_total", "ospke", "osxsave", "pconfig"};
  return std::find(of_libvirt.begin(), of_libvirt.end(), feature) != of_libvirt.end();
}

}  // namespace vmr
