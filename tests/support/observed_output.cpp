// SPDX-License-Identifier: MIT
#include "support/observed_output.hpp"

#include "build_paths.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

namespace vmr::test {

void check_output(const std::string& document, const std::string& name, const std::string& output,
                  const std::string& language) {
  const std::filesystem::path path = SOURCE_FOLDER "/docs/" + document;
  auto text = read_text(path);
  const auto marker = fmt::format("<!-- output: {} -->\n", name);
  const auto start = text.find(marker);
  REQUIRE_MESSAGE(start != text.npos, name);
  const auto from = start + marker.size();
  const auto end = text.find("<!-- output: end -->\n", from);
  REQUIRE_MESSAGE(end != text.npos, name);
  const auto seen = fmt::format("```{}\n{}```\n", language, output);
  if (std::getenv("UPDATE_OBSERVED") != nullptr) {
    text.replace(from, end - from, seen);
    write_text(path, text);
    return;
  }
  INFO("UPDATE_OBSERVED=1 writes what it is now into docs/", document, ": ", name);
  CHECK(text.substr(from, end - from) == seen);
}

}  // namespace vmr::test
