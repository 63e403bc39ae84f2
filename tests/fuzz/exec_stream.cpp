// SPDX-License-Identifier: MIT
// What a command in the guest writes: marks are found wherever the stream is cut.
#include "fuzz/fuzz.hpp"
#include "plan/exec_script.hpp"
#include "run/mark_scanner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const std::string token = "~12";
  const auto text = text_of(data, size);
  vmr::MarkScanner whole(token);
  auto expected = whole.feed(text);
  expected.data += whole.finish();
  vmr::MarkScanner pieces(token);
  vmr::MarkScanner::Found found;
  std::size_t consumed = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto more = pieces.feed(text.substr(i, 1));
    found.data += more.data;
    found.marks.insert(found.marks.end(), more.marks.begin(), more.marks.end());
    consumed += more.data.size();
    for (const auto& mark : more.marks) consumed += token.size() + mark.size() + 1;
    require(i + 1 - consumed < token.size() + vmr::longest_status_mark + 1, "little is held back");
  }
  found.data += pieces.finish();
  require(found == expected, "the same is found in every piece");
  return 0;
}
