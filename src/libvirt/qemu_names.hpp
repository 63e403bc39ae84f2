// SPDX-License-Identifier: MIT
// Which of libvirt's names are names of QEMU's own, too.
#pragma once

#include <string>
#include <string_view>

namespace vmr {

inline constexpr std::string_view letters_and_digits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Whether `text` can be the name of a machine, a CPU model or a feature of QEMU's.
bool is_name(std::string_view text);

/// How a machine type stands to those that vm-runner can start.
enum class MachineFit {
  fits,       ///< it is one of QEMU's own releases, or an alias for the newest
  of_a_kind,  ///< of a kind that QEMU has: a distribution's own, or a release that it does not have
  foreign     ///< of no such kind: another architecture's, or without a PCI bus
};

/// The machine type to take for one of libvirt's.
struct MachineChoice {
  std::string_view name;  ///< the one that was asked for, or one that every QEMU has
  MachineFit fit = MachineFit::fits;

  bool operator==(const MachineChoice&) const = default;
};

/// What to take for `machine`: "q35" for "pc-q35-rhel9.6.0" and for "microvm". The name may be part
/// of `machine`'s text.
MachineChoice choose_machine(std::string_view machine, bool is_arm);

/// Whether only libvirt knows a CPU model of this name, and QEMU none or no longer.
bool is_model_of_libvirt(std::string_view model);

/// Whether only libvirt knows a CPU feature of this name, and no QEMU.
bool is_feature_of_libvirt(std::string_view feature, bool is_arm);

}  // namespace vmr
