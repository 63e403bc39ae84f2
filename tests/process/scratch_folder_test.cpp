// SPDX-License-Identifier: MIT
#include "run/scratch_folder.hpp"

#include "base/error.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("the folder for dropped changes is closed to others and removed with what is in it") {
  const TemporaryFolder parent;
  std::string path;
  {
    const ScratchFolder folder(parent.path(), Owner{::geteuid(), ::getegid()});
    path = folder.path();
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 07777) == 0700);
    write_text(path + "/left", "x");
    fs::create_symlink(parent.path(), path + "/link");
  }
  CHECK_FALSE(fs::exists(path));
  CHECK(fs::exists(parent.path()));
  CHECK_THROWS_AS(ScratchFolder(parent / "missing", std::nullopt), Error);
}

}  // namespace
}  // namespace vmr::test
