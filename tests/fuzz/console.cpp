// SPDX-License-Identifier: MIT
// What a guest wrote on its console, shown to one who attaches later.
#include "fuzz/fuzz.hpp"
#include "run/console_log.hpp"
#include "run/terminal_queries.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const auto text = text_of(data, size);
  const auto shown = vmr::without_queries(text);
  require(vmr::without_queries(shown) == shown, "what is left has no query");

  constexpr std::size_t capacity = 64;
  vmr::ConsoleLog log(capacity);
  vmr::ConsoleReader reader(log);
  std::string read;
  std::size_t appended = 0;
  for (std::size_t count = 1; appended < text.size(); count = count * 2 % 251) {
    log.append(text.substr(appended, count));
    appended = std::min(text.size(), appended + count);
    const auto piece = reader.next();
    read += piece.substr(0, 20);
    reader.advance(std::min<std::size_t>(piece.size(), 20));
  }
  for (auto piece = reader.next(); !piece.empty(); piece = reader.next()) {
    read += piece;
    reader.advance(piece.size());
  }
  require(read.ends_with(text.substr(text.size() - std::min(text.size(), capacity / 2))),
          "the last is read");
  return 0;
}
