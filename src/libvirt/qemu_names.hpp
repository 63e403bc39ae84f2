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

/// The machine type that every QEMU has for `machine`, which is of a distribution's own QEMU or of
/// one that has long been dropped: "q35" for "pc-q35-rhel9.6.0". Empty where `machine` is one of
/// QEMU's own, or of no family that is known.
std::string_view machine_instead_of(std::string_view machine);

/// Whether only libvirt knows a CPU model of this name, and QEMU none or no longer.
bool is_model_of_libvirt(std::string_view model);

/// Whether only libvirt knows a CPU feature of this name, and no QEMU.
bool is_feature_of_libvirt(std::string_view feature, bool is_arm);

}  // namespace vmr
