// SPDX-License-Identifier: MIT
#include "build_paths.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// Whether `text` says in one of its first three lines under which licence it is.
bool has_licence(const std::string& text) {
  const auto at = text.find("SPDX-License-Identifier: MIT\n");
  return at != text.npos && std::count(text.begin(), text.begin() + std::ptrdiff_t(at), '\n') < 3;
}

/// Whether a file at this path can say so. What others read as it is (expected texts, JSON) cannot,
/// prose does not; LICENSE stands for them.
bool is_source(const fs::path& path) {
  constexpr std::array<std::string_view, 10> kinds = {
      ".cpp", ".hpp", ".py", ".service", ".yaml", ".1", ".cmake", ".conf", ".sh", ""};
  return std::find(kinds.begin(), kinds.end(), path.extension().string()) != kinds.end() ||
         path.filename() == "CMakeLists.txt";
}

TEST_CASE("every source, script and recipe names its licence") {
  std::vector<std::string> without;
  std::size_t count = 0;
  const auto check = [&](const fs::path& path) {
    if (!fs::is_regular_file(path) || !is_source(path)) return;
    ++count;
    if (!has_licence(read_text(path))) without.push_back(path);
  };
  const std::string root = SOURCE_FOLDER;
  for (const auto* name : {"CMakeLists.txt", ".clang-format", ".clang-tidy"})
    check(fs::path(root) / name);
  for (const auto* folder : {"src", "tests", "scripts", "docker", "docs", ".ci"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      const auto path = entry.path().string();
      const bool is_text_for_others =
          path.find("/tests/golden/") != path.npos || path.find("/tests/domains/") != path.npos ||
          path.find("/tests/cases/") != path.npos || path.find("/tests/fuzz/corpus/") != path.npos;
      if (!is_text_for_others) check(entry.path());
    }
  }
  CHECK(without == std::vector<std::string>{});
  CHECK(count > 300);
}

TEST_CASE("a licence is found where it has to stand only") {
  CHECK(has_licence("// SPDX-License-Identifier: MIT\nint i;\n"));
  CHECK(has_licence("#!/bin/sh\n#\n# SPDX-License-Identifier: MIT\n"));
  CHECK_FALSE(has_licence("\n\n\n// SPDX-License-Identifier: MIT\n"));
  CHECK_FALSE(has_licence("// SPDX-License-Identifier: GPL-2.0-only\n"));
  CHECK_FALSE(has_licence(""));
}

}  // namespace
}  // namespace vmr::test
