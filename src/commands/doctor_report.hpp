// SPDX-License-Identifier: MIT
// What `doctor` finds, from facts alone: pure, so that whole reports are compared in tests.
#pragma once

#include "base/error.hpp"
#include "commands/resolved_vm.hpp"
#include "host/doctor_facts.hpp"

#include <string>
#include <vector>

namespace vmr {

/// How a check ended; only with a `fail` would `run` not work.
enum class CheckResult { ok, note, warn, fail };

/// One thing that was looked at.
struct Check {
  std::string area;  ///< the heading it is under: "machine", "QEMU", …
  std::string name;
  CheckResult result = CheckResult::ok;
  std::string evidence;  ///< what was seen
  std::string fix;       ///< what to do, exactly; empty: nothing

  bool operator==(const Check&) const = default;
};

struct Report {
  ExitStatus status = ExitStatus::ok;  ///< that of `run`, as far as it can be foreseen
  std::vector<Check> checks;           ///< those of an area follow each other
  std::vector<std::string> untried{};  ///< QEMU arguments that `run` has and nobody tried
  bool takes_untried = false;  ///< QEMU takes them; whether it can open what they name nobody tried

  bool operator==(const Report&) const = default;
};

/// Everything that `doctor` tells. Pure.
Report make_report(const ExaminedVm& examined, const DoctorFacts& facts);

/// `report` for people, at most 100 columns wide where words allow; ends with a newline. Pure.
std::string report_table(const Report& report, bool in_colour);

/// `report` as one JSON object on one line; ends with a newline. Pure.
std::string report_json(const Report& report);

}  // namespace vmr
