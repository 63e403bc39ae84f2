// SPDX-License-Identifier: MIT
// A configuration file.
#include "fuzz/toml_round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const auto loaded = vmr::load_config({}, {}, {"vm.toml", std::string(text_of(data, size))});
  for (const auto& problem : loaded.problems) {
    require(!problem.message.empty() && !problem.origin.empty(), "a problem says what and where");
  }
  require_round_trip(loaded);
  return 0;
}
