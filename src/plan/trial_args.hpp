// SPDX-License-Identifier: MIT
// What of a command line QEMU can be given only to see whether it takes it.
#pragma once

#include "plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace vmr {

/// A command line, told apart by what a QEMU that is ended at once would touch.
struct TrialArguments {
  std::vector<std::string> ours;     ///< of ours: what touches nothing outside QEMU
  std::vector<std::string> users;    ///< of the user's own: the same
  std::vector<std::string> untried;  ///< the user's options that are left out, as shell words
  /// Lists of the user's options, those that are left out among them, for a QEMU that may touch
  /// nothing: it ends where one touches something, so shorter lists follow. Empty: all are tried.
  std::vector<std::vector<std::string>> guarded{};
  bool guards_all = false;  ///< the first of these lists has all of the user's options

  bool operator==(const TrialArguments&) const = default;
};

/// Leaves out what opens devices, sockets, ports or the terminal, writes files or takes the guest's
/// whole memory, and what refers to that. Files that QEMU only reads it may read. An option that
/// is unknown is no reason: QEMU refuses it before it does anything. Pure.
TrialArguments trial_arguments(const QemuPlan& qemu);

/// Whether the user's own arguments in `qemu` open files, devices, ports or programs, be it only to
/// read. Pure.
bool reaches_outside(const QemuPlan& qemu);

}  // namespace vmr
