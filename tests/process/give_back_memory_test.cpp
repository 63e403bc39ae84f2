// SPDX-License-Identifier: MIT
#include "run/give_back_memory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace vmr::test {
namespace {

/// Of this program's own code, the KiB that are in memory.
long resident_code() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").string();
  std::ifstream maps("/proc/self/smaps");
  long size = 0;
  bool is_code = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first.find('-') != first.npos) {
      is_code = second == "r-xp" && line.ends_with(program);
    } else if (is_code && first == "Rss:") {
      size += std::stol(second);
    }
  }
  return size;
}

TEST_CASE("code that only a start needs is given back, and comes again when it is called") {
  const auto before = resident_code();
  give_back_memory();
  const auto after = resident_code();
  CHECK(after > 0);
  CHECK(after < before);
}

}  // namespace
}  // namespace vmr::test
