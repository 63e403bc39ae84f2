// SPDX-License-Identifier: MIT
// Values of a QEMU option, between NULs, against a reader of QEMU's own syntax.
#include "base/qemu_option.hpp"

#include "fuzz/fuzz.hpp"
#include "support/qemu_option_parser.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const auto values = split_at_nul(text_of(data, size));
  // With a "=" it would be a key, which is why no text of a user ever comes first.
  const auto first = values.front().substr(0, values.front().find('='));
  vmr::QemuOption option(first);
  vmr::test::KeyValues written;
  // QEMU takes what is empty for nothing.
  if (!first.empty() || values.size() > 1) written.emplace_back("driver", first);
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto key = "key-" + std::to_string(i);
    option.set(key, values[i]);
    written.emplace_back(key, values[i]);
  }
  require(vmr::test::parse_qemu_option(option.text(), "driver") == written, option.text());
  return 0;
}
