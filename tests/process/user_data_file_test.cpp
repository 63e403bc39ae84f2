// SPDX-License-Identifier: MIT
#include "host/user_data_file.hpp"

#include "base/user_data_size.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

struct Read {
  std::string problem;
  std::string text;

  bool operator==(const Read&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Read& read) {
  return out << read.problem << " | " << read.text.substr(0, 100);
}

Read read(const std::string& path) {
  Read result;
  result.problem = read_user_data_file(path, result.text);
  return result;
}

TEST_CASE("user-data is read from a regular file, also through a link") {
  const TemporaryFolder folder;
  write_text(folder / "u", std::string("#!\0\xff", 4));
  REQUIRE(::symlink("u", (folder / "link").c_str()) == 0);
  CHECK(read(folder / "u") == Read{"", std::string("#!\0\xff", 4)});
  CHECK(read(folder / "link") == Read{"", std::string("#!\0\xff", 4)});
}

TEST_CASE("user-data from what has no end or waits for somebody is not read") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  REQUIRE(::symlink("/dev/zero", (folder / "link").c_str()) == 0);
  CHECK(read(folder / "fifo") == Read{"it is a FIFO, which is not read", ""});
  CHECK(read("/dev/zero") == Read{"it is a device, which is not read", ""});
  CHECK(read(folder / "link") == Read{"it is a device, which is not read", ""});
  CHECK(read(folder.path()) == Read{"it is a folder", ""});
  CHECK(read(folder / "none") == Read{"No such file or directory", ""});
}

TEST_CASE("user-data is read up to its bound") {
  const TemporaryFolder folder;
  write_text(folder / "u", "");
  REQUIRE(::truncate((folder / "u").c_str(), largest_user_data) == 0);
  CHECK(read(folder / "u").problem.empty());
  REQUIRE(::truncate((folder / "u").c_str(), 1LL << 40) == 0);
  CHECK(read(folder / "u") == Read{"it is larger than 16 MiB", ""});
}

}  // namespace
}  // namespace vmr::test
