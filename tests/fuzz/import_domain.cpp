// SPDX-License-Identifier: MIT
// The XML of a libvirt domain.
#include "libvirt/import_domain.hpp"

#include "base/error.hpp"
#include "fuzz/toml_round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  try {
    const auto imported = vmr::import_domain(text_of(data, size), "domain.xml");
    require_round_trip(imported.settings);
    for (const auto& note : imported.notes) {
      require(note.line >= 1 && !note.element.empty() && !note.why.empty(),
              "a note says where, of what and why");
    }
  } catch (const vmr::Error& refused) {
    require(refused.status == vmr::ExitStatus::usage, "what is refused is the user's");
  }
  return 0;
}
