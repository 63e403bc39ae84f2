// SPDX-License-Identifier: MIT
// The beginning of a file that is named as a disk or kernel; a guest may have written it.
#include "host/file_contents.hpp"

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const auto bytes = std::string(text_of(data, size));
  std::size_t taken = 0;
  const vmr::ReadAt read = [&](std::uint64_t offset, std::size_t wanted) {
    auto part = offset < bytes.size() ? bytes.substr(offset, wanted) : std::string();
    taken += wanted;
    return part;
  };
  const auto contents = vmr::classify(read, bytes.size());
  require(contents.kind != vmr::FileContents::Kind::unread || bytes.empty(), "it is something");
  require(taken < (16 << 20), "little is read");
  const auto header = vmr::read_qcow2_header(read, bytes.size());
  require(header.backing.size() < 1024, "a name is short");
  return 0;
}
