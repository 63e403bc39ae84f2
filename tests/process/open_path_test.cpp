// SPDX-License-Identifier: MIT
#include "host/open_path.hpp"

#include "base/error.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace vmr::test {
namespace {

/// What opening says; empty when it worked.
std::string said_of(const std::string& path, bool follow_links) {
  try {
    open_path(path, follow_links);
    return {};
  } catch (const Error& error) {
    return fmt::format("{}: {}", error.what(), error.cause);
  }
}

TEST_CASE("what was looked at is opened, and no link that came into its way") {
  const TemporaryFolder made;
  const auto root = std::filesystem::canonical(made.path()).string();
  const auto folder = root + "/a, 'ü' 100%";
  std::filesystem::create_directories(folder + "/in");
  write_text(folder + "/in/file", "x");
  const auto file = open_path(folder + "/in/file", false);
  CHECK(::fcntl(file.get(), F_GETFD) == FD_CLOEXEC);
  CHECK((::fcntl(file.get(), F_GETFL) & O_PATH) != 0);
  CHECK(said_of(folder, false) == "");
  CHECK(said_of(folder + "/no", false) ==
        fmt::format("'{}/no' cannot be opened: No such file or directory", folder));

  std::filesystem::rename(folder, root + "/moved");
  std::filesystem::create_directory_symlink(root + "/moved", folder);
  for (const std::string end : {"/in", "/in/file"}) {
    CHECK(said_of(folder + end, true) == "");
    CHECK(
        said_of(folder + end, false) ==
        fmt::format("'{}{}' is not what it was a moment ago: a symbolic link has come into its way",
                    folder, end));
  }
}

}  // namespace
}  // namespace vmr::test
