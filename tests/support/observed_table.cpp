// SPDX-License-Identifier: MIT
#include "support/observed_table.hpp"

#include "build_paths.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace vmr::test {
namespace {

constexpr std::string_view end_marker = "<!-- observed: end -->\n";
constexpr std::string_view separator = ", ";  ///< between the names that share a line
constexpr std::size_t name_columns = 2;

std::vector<std::string> split(std::string_view text, std::string_view between) {
  std::vector<std::string> parts;
  for (auto at = text.find(between); at != text.npos; at = text.find(between)) {
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + between.size());
  }
  parts.emplace_back(text);
  return parts;
}

/// The cells of "| a | b |"; an empty cell is "| |".
std::vector<std::string> cells_of(const std::string& line) {
  auto cells = split(line, "|");
  if (cells.size() < 3 || !cells.front().empty() || !cells.back().empty()) {
    throw std::runtime_error("not a line of a table: " + line);
  }
  cells = {cells.begin() + 1, cells.end() - 1};
  for (auto& cell : cells) {
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
  }
  return cells;
}

/// The part of a cell that is about `qemu`, or all of it.
std::string part_of(const std::string& cell, const std::string& qemu) {
  for (const auto& part : split(cell, "<br>")) {
    const auto prefix = qemu + ": ";
    if (!qemu.empty() && part.starts_with(prefix)) return part.substr(prefix.size());
  }
  return cell;
}

/// `cell` with `seen` as the part about `qemu`.
std::string with_part(const std::string& cell, const std::string& qemu, const std::string& seen) {
  if (cell.empty() || qemu.empty()) return seen;
  bool same = true;
  std::vector<std::string> parts;
  for (const std::string each : {"QEMU 7.2", "QEMU 10"}) {
    const auto part = each == qemu ? seen : part_of(cell, each);
    same = same && part == seen;
    parts.push_back(fmt::format("{}: {}", each, part));
  }
  return same ? seen : fmt::format("{}", fmt::join(parts, "<br>"));
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) line += cell.empty() ? " |" : fmt::format(" {} |", cell);
  return line + "\n";
}

}  // namespace

ObservedTable::ObservedTable(std::string path, const std::string& name) : path_(std::move(path)) {
  const auto text = read_text(path_);
  const auto marker = fmt::format("<!-- observed: {} -->\n", name);
  const auto begin = text.find(marker);
  const auto end = text.find(end_marker, begin == text.npos ? text.size() : begin);
  if (end == text.npos) throw std::runtime_error(path_ + " has no table '" + name + "'");
  before_ = text.substr(0, begin + marker.size());
  after_ = text.substr(end);
  std::istringstream lines(text.substr(before_.size(), end - before_.size()));
  std::string line;
  for (int number = 0; std::getline(lines, line); ++number) {
    if (number == 0) headers_ = cells_of(line);
    if (number > 1) read_line(cells_of(line));
  }
}

void ObservedTable::read_line(const Line& line) {
  if (line.size() != headers_.size()) {
    throw std::runtime_error("wrong number of cells: " + line_of(line));
  }
  for (const auto& what : split(line[1], separator)) {
    rows_.emplace_back(ObservedRow{line[0], what}, line);
    rows_.back().second[1] = what;
  }
}

std::size_t ObservedTable::index_of(const std::string& header) const {
  const auto found = std::find(headers_.begin(), headers_.end(), header);
  if (found == headers_.end()) throw std::runtime_error("no column '" + header + "' in " + path_);
  return static_cast<std::size_t>(found - headers_.begin());
}

std::map<ObservedRow, std::string> ObservedTable::column(const std::string& header,
                                                         const std::string& qemu) const {
  const auto index = index_of(header);
  std::map<ObservedRow, std::string> cells;
  for (const auto& [row, line] : rows_) {
    if (!line[index].empty()) cells[row] = part_of(line[index], qemu);
  }
  return cells;
}

void ObservedTable::set_column(const std::string& header, const ObservedColumn& cells,
                               const std::string& qemu) {
  const auto index = index_of(header);
  auto old = std::move(rows_);
  rows_.clear();
  for (const auto& [row, cell] : cells) {
    if (row.what.find(separator) != row.what.npos) throw std::runtime_error(row.what);
    const auto same = std::find_if(
        old.begin(), old.end(), [&row](const auto& candidate) { return candidate.first == row; });
    Line line = {row.who, row.what};
    line.resize(headers_.size());
    if (same != old.end()) {
      line = same->second;
      old.erase(same);
    }
    line[index] = with_part(line[index], qemu, cell);
    rows_.emplace_back(row, line);
  }
  for (auto& [row, line] : old) {
    line[index].clear();
    const auto is_empty = [](const std::string& cell) { return cell.empty(); };
    if (std::all_of(line.begin() + name_columns, line.end(), is_empty)) continue;
    rows_.emplace_back(row, line);
  }
}

std::vector<ObservedTable::Line> ObservedTable::collapsed() const {
  std::vector<Line> lines;
  for (const auto& [row, line] : rows_) {
    const auto& cells = line;
    const auto same = std::find_if(lines.begin(), lines.end(), [&cells](const Line& other) {
      return other[0] == cells[0] &&
             std::equal(other.begin() + name_columns, other.end(), cells.begin() + name_columns);
    });
    if (same == lines.end()) {
      lines.push_back(line);
    } else {
      (*same)[1].append(separator).append(row.what);
    }
  }
  return lines;
}

void ObservedTable::write() const {
  auto text = before_ + line_of(headers_) + line_of(Line(headers_.size(), "---"));
  for (const auto& line : collapsed()) text += line_of(line);
  write_text(path_, text + after_);
}

namespace {

void check_column(const std::string& path, const std::string& table, const std::string& header,
                  const ObservedColumn& cells, const std::string& qemu) {
  if (std::getenv("UPDATE_OBSERVED") != nullptr) {
    ObservedTable document(path, table);
    document.set_column(header, cells, qemu);
    document.write();
  }
  INFO(path, ": ", table, ": ", header, "; UPDATE_OBSERVED=1 writes what it is now");
  auto documented = ObservedTable(path, table).column(header, qemu);
  for (const auto& [row, cell] : cells) {
    CAPTURE(row.who);
    CAPTURE(row.what);
    CHECK(cell == documented[row]);
    documented.erase(row);
  }
  for (const auto& [row, cell] : documented) {
    FAIL_CHECK("documented but not seen: ", row.who, ", ", row.what, ": ", cell);
  }
}

}  // namespace

void check_observed(const std::string& table, const std::string& header,
                    const ObservedColumn& cells, const std::string& qemu) {
  check_column(SOURCE_FOLDER "/docs/filesystem-sharing.md", table, header, cells, qemu);
}

void check_observed_table(const std::string& document, const std::string& name,
                          const std::vector<std::pair<std::string, ObservedColumn>>& columns,
                          const std::string& qemu) {
  for (const auto& [header, cells] : columns) {
    check_column(std::string(SOURCE_FOLDER "/docs/") + document, name, header, cells, qemu);
  }
}

}  // namespace vmr::test
