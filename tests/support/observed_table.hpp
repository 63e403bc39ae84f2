// SPDX-License-Identifier: MIT
// Tables in the documentation that say what tests have seen.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vmr::test {

/// One row: who it concerns, and what was tried. `what` has no ", ".
struct ObservedRow {
  std::string who;
  std::string what;

  auto operator<=>(const ObservedRow&) const = default;
};

/// What one column shows, from top to bottom.
using ObservedColumn = std::vector<std::pair<ObservedRow, std::string>>;

/// The Markdown table between "<!-- observed: NAME -->" and "<!-- observed: end -->" of a document.
/// Its first two columns are the rows' names. Things tried by the same person with the same results
/// in every column share one line there, their names separated by ", ". A cell that is not the same
/// with every QEMU is "QEMU 7.2: X<br>QEMU 10: Y".
class ObservedTable {
 public:
  /// Reads the table; throws when the document has none of this name, or a malformed one.
  ObservedTable(std::string path, const std::string& name);

  /// The cells of a column that are not empty, as `qemu` shows them; throws when there is no such
  /// column.
  [[nodiscard]] std::map<ObservedRow, std::string> column(const std::string& header,
                                                          const std::string& qemu) const;

  /// Makes `cells` the column as `qemu` shows it, and their order that of the rows. Without a
  /// `qemu` they are the same with every one.
  void set_column(const std::string& header, const ObservedColumn& cells, const std::string& qemu);

  /// Writes the document anew.
  void write() const;

 private:
  using Line = std::vector<std::string>;

  [[nodiscard]] std::size_t index_of(const std::string& header) const;
  [[nodiscard]] std::vector<Line> collapsed() const;
  void read_line(const Line& line);

  std::string path_;
  std::string before_;
  std::string after_;
  Line headers_;
  std::vector<std::pair<ObservedRow, Line>> rows_;  ///< each with one cell for every header
};

/// Compares every column with the table `name` of docs/DOCUMENT, as below.
void check_observed_table(const std::string& document, const std::string& name,
                          const std::vector<std::pair<std::string, ObservedColumn>>& columns,
                          const std::string& qemu = {});

/// Compares `cells`, seen with `qemu` ("QEMU 7.2", "QEMU 10", or empty where it does not matter),
/// with a column of a table in docs/filesystem-sharing.md. With UPDATE_OBSERVED in the environment
/// they are written there first; look at the difference before you commit it.
void check_observed(const std::string& table, const std::string& header,
                    const ObservedColumn& cells, const std::string& qemu = {});

}  // namespace vmr::test
