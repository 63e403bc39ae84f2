// SPDX-License-Identifier: MIT
#include "support/observed_table.hpp"

#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace vmr::test {
namespace {

/// A document with a table of these lines.
class Document {
 public:
  explicit Document(const std::string& lines) {
    write_text(path(), "Before.\n<!-- observed: t -->\n" + head_ + lines +
                           "<!-- observed: end -->\nAfter.\n");
  }

  [[nodiscard]] ObservedTable table() const { return {path(), "t"}; }
  [[nodiscard]] std::string path() const { return folder_ / "document.md"; }

  /// The lines of its table.
  [[nodiscard]] std::string lines() const {
    const auto text = read_text(path());
    const auto begin = text.find(head_) + head_.size();
    CHECK(text.starts_with("Before.\n<!-- observed: t -->\n"));
    CHECK(text.ends_with("<!-- observed: end -->\nAfter.\n"));
    return text.substr(begin, text.find("<!-- observed: end -->") - begin);
  }

 private:
  TemporaryFolder folder_;
  std::string head_ = "| who | what | A | B |\n| --- | --- | --- | --- |\n";
};

}  // namespace

TEST_CASE("a line of an observed table stands for each of the names in it") {
  const Document document("| root | x, y | 1 | 2 |\n| user | x | | 3 |\n");
  const std::map<ObservedRow, std::string> a = {{{"root", "x"}, "1"}, {{"root", "y"}, "1"}};
  CHECK(document.table().column("A", "") == a);
  CHECK(document.table().column("B", "").size() == 3);
  CHECK_THROWS_AS(document.table().column("C", ""), std::runtime_error);
  CHECK_THROWS_AS(ObservedTable(document.path(), "other"), std::runtime_error);
}

TEST_CASE("a column of an observed table is written without a change of the others") {
  const Document document("| root | x, y | 1 | 2 |\n| gone | x | 1 | |\n");
  auto table = document.table();
  table.set_column("A", {{{"user", "z"}, "5"}, {{"root", "y"}, "4"}, {{"root", "x"}, "1"}}, "");
  table.write();
  CHECK(document.lines() == "| user | z | 5 | |\n| root | y | 4 | 2 |\n| root | x | 1 | 2 |\n");
  table.set_column("A", {{{"root", "x"}, "1"}, {{"user", "z"}, "5"}, {{"root", "y"}, "1"}}, "");
  table.write();
  CHECK(document.lines() == "| root | x, y | 1 | 2 |\n| user | z | 5 | |\n");
}

TEST_CASE("a cell of an observed table may depend on the QEMU") {
  const Document document("| root | x | 1 | |\n");
  const auto set = [&document](const std::string& qemu, const std::string& cell) {
    auto table = document.table();
    table.set_column("A", {{{"root", "x"}, cell}}, qemu);
    table.write();
  };
  const auto get = [&document](const std::string& qemu) {
    return document.table().column("A", qemu)[{"root", "x"}];
  };
  set("QEMU 10", "2");
  CHECK(document.lines() == "| root | x | QEMU 7.2: 1<br>QEMU 10: 2 | |\n");
  CHECK(get("QEMU 7.2") == "1");
  CHECK(get("QEMU 10") == "2");
  set("QEMU 7.2", "2");
  CHECK(document.lines() == "| root | x | 2 | |\n");
  CHECK(get("QEMU 7.2") == "2");
}

}  // namespace vmr::test
