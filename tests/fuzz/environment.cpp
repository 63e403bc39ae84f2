// SPDX-License-Identifier: MIT
// The environment, as variables between NULs.
#include "fuzz/toml_round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  require_round_trip(vmr::load_config({}, split_at_nul(text_of(data, size)), {}));
  return 0;
}
