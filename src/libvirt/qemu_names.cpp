// SPDX-License-Identifier: MIT
#include "libvirt/qemu_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmr {
namespace {

constexpr std::string_view digits = "0123456789";

/// "4.0.1", as QEMU's own machine types end in; a distribution's have its name there.
bool is_version(std::string_view text) {
  int parts = 0;
  while (true) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    if (part.empty() || part.find_first_not_of(digits) != part.npos) return false;
    ++parts;
    if (dot == text.npos) return parts >= 2;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return letters_and_digits.find(c) != letters_and_digits.npos || c == '-' || c == '.' ||
           c == '_';
  });
}

std::string_view machine_instead_of(std::string_view machine) {
  // The first that fits. Before there were two PCs, the versions followed "pc-" at once, and all of
  // them are gone from QEMU.
  struct Family {
    std::string_view prefix;
    std::string_view name;
    bool has_versions = true;
  };
  constexpr std::array families = std::to_array<Family>({{"pc-q35-", "q35"},
                                                         {"pc-i440fx-", "pc"},
                                                         {"pc-", "pc", false},
                                                         {"virt-", "virt"},
                                                         {"rhel5", "pc", false},
                                                         {"rhel6", "pc", false}});
  for (const auto& [prefix, name, has_versions] : families) {
    if (!machine.starts_with(prefix)) continue;
    const bool is_own = has_versions && is_version(machine.substr(prefix.size()));
    return is_own ? std::string_view{} : name;
  }
  return {};
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
