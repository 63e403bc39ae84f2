// SPDX-License-Identifier: MIT
#include "base/paths.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace vmr {
namespace {

TEST_CASE("absolute paths") {
  struct Row {
    std::string path;
    std::string expected;
  };
  const std::vector<Row> rows = {{"/a/b", "/a/b"},
                                 {"/", "/"},
                                 {"//a//b///", "/a/b"},
                                 {"/./a/./b/.", "/a/b"},
                                 {"/.", "/"},
                                 {"", "/work/dir"},
                                 {".", "/work/dir"},
                                 {"a", "/work/dir/a"},
                                 {"./a/", "/work/dir/a"},
                                 {"~", "/home/me"},
                                 {"~/", "/home/me"},
                                 {"~/a", "/home/me/a"},
                                 {"~a", "/work/dir/~a"},
                                 {"a/~", "/work/dir/a/~"},
                                 {"/~", "/~"},
                                 {"/a/../b", "/a/../b"},
                                 {"..", "/work/dir/.."},
                                 {"/..a/b..", "/..a/b.."},
                                 {"/...", "/..."},
                                 {"/ a , $(x)\n'\"%\\", "/ a , $(x)\n'\"%\\"},
                                 {"\xc3\xbc/\xff", "/work/dir/\xc3\xbc/\xff"}};
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(absolute_path(row.path, "/home/me", "/work/dir/") == row.expected);
  }
  const std::string deep(100000, '/');
  CHECK(absolute_path(deep + "a" + deep, "", "") == "/a");
}

}  // namespace
}  // namespace vmr
