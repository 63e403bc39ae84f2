// SPDX-License-Identifier: MIT
// Words between NULs are quoted and split again; the same bytes are a line that is split.
#include "base/shell_words.hpp"

#include "fuzz/fuzz.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const auto text = text_of(data, size);
  const auto words = split_at_nul(text);
  require(vmr::shell_split(vmr::shell_join(words)) == words, "joined words are split again");
  for (const auto& word : words) {
    const auto ascii = vmr::shell_quote_ascii(word);
    require(std::all_of(ascii.begin(), ascii.end(),
                        [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }),
            "a word in ASCII is in ASCII");
  }
  const auto line = vmr::shell_split(text);
  if (line) {
    require(vmr::shell_split(vmr::shell_join(*line)) == line, "split words are joined and split");
  }
  return 0;
}
