// SPDX-License-Identifier: MIT
#include "run/console_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace vmr {
namespace {

constexpr auto all = std::numeric_limits<std::size_t>::max();

/// What `reader` reads next: all that there is, `most` bytes at most, `portion` bytes a time.
std::string read(ConsoleReader& reader, std::size_t most = all, std::size_t portion = all) {
  std::string text;
  while (text.size() < most && !reader.next().empty()) {
    const auto piece = reader.next().substr(0, std::min(portion, most - text.size()));
    text += piece;
    reader.advance(piece.size());
  }
  return text;
}

/// What `log` keeps.
std::string kept(const ConsoleLog& log) {
  ConsoleReader reader(log);
  return read(reader);
}

/// `size` bytes, each unlike those around it, as the bytes from `position` on.
std::string bytes_at(std::size_t position, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>((position + bytes.size()) % 251);
  return bytes;
}

std::string left_out(std::size_t count) {
  return "\r\n[vm-runner: " + std::to_string(count) +
         " bytes of the console are left out here]\r\n";
}

TEST_CASE("a log that nothing was said to is empty") {
  const ConsoleLog log;
  CHECK(log.begin() == 0);
  CHECK(log.end() == 0);
  CHECK(log.piece_at(0).empty());
  CHECK(kept(log).empty());
}

TEST_CASE("the last bytes are kept whatever sizes they come in") {
  for (const std::size_t capacity : {1, 2, 7, 64}) {
    for (const std::size_t size : {1, 2, 3, 6, 7, 8, 13, 14, 15, 63, 64, 65, 1000}) {
      CAPTURE(capacity);
      CAPTURE(size);
      ConsoleLog log(capacity);
      for (std::size_t end = size; end <= 5 * size; end += size) {
        log.append(bytes_at(end - size, size));
        const auto expected = std::min(end, capacity);
        CHECK(log.end() == end);
        CHECK(log.begin() == end - expected);
        CHECK(kept(log) == bytes_at(end - expected, expected));
      }
    }
  }
}

TEST_CASE("it is 64 KiB unless told otherwise, and exactly that") {
  ConsoleLog log;
  const std::size_t size = 65536;
  log.append(bytes_at(0, size));
  CHECK((kept(log) == bytes_at(0, size)));
  log.append(bytes_at(size, 1));
  CHECK((kept(log) == bytes_at(1, size)));
  log.append("");
  CHECK((kept(log) == bytes_at(1, size)));
  log.append(bytes_at(size + 1, 10 * size));
  CHECK(log.begin() == 10 * size + 1);
  CHECK((kept(log) == bytes_at(10 * size + 1, size)));
}

TEST_CASE("what wraps around comes in two pieces") {
  ConsoleLog log(8);
  log.append("0123456789ab");
  CHECK(log.begin() == 4);
  CHECK(log.piece_at(4) == "4567");
  CHECK(log.piece_at(8) == "89ab");
  CHECK(log.piece_at(12).empty());
}

TEST_CASE("bytes that are not text stay as they are") {
  ConsoleLog log(16);
  const std::string bytes("\0\r\n\x1b[0m\xff\0", 9);
  log.append(bytes);
  CHECK(kept(log) == bytes);
}

TEST_CASE("a reader that keeps up reads all of it") {
  ConsoleLog log(8);
  ConsoleReader reader(log);
  std::string seen;
  for (std::size_t i = 0; i < 100; ++i) {
    log.append(bytes_at(5 * i, 5));
    seen += read(reader, all, 3);
    CHECK(reader.next().empty());
  }
  CHECK(seen == bytes_at(0, 500));
}

TEST_CASE("one that starts late begins with the oldest byte and misses nothing of it") {
  ConsoleLog log(8);
  log.append("0123456789");
  ConsoleReader reader(log);
  CHECK(read(reader) == "23456789");
}

TEST_CASE("one that is too slow is told how much it missed") {
  ConsoleLog log(8);
  ConsoleReader reader(log);
  log.append("01234567");
  CHECK(read(reader, 3) == "012");
  log.append("89a");
  // Just in time: the bytes that were overwritten are those that it has read.
  CHECK(read(reader, 1) == "3");
  log.append("bcdef");
  CHECK(read(reader) == left_out(4) + "89abcdef");
  log.append("0123456789");
  CHECK(read(reader) == left_out(2) + "23456789");
}

TEST_CASE("one that does not even read that it missed something is told twice") {
  ConsoleLog log(8);
  ConsoleReader reader(log);
  log.append("0123456789");
  CHECK(read(reader, 10) == left_out(2).substr(0, 10));
  log.append("abc");
  CHECK(read(reader) == left_out(2).substr(10) + left_out(3) + "56789abc");
}

TEST_CASE("readers do not disturb each other") {
  ConsoleLog log(8);
  ConsoleReader slow(log);
  ConsoleReader fast(log);
  log.append("01234567");
  CHECK(read(fast) == "01234567");
  log.append("89");
  ConsoleReader late(log);
  CHECK(read(fast) == "89");
  CHECK(read(late) == "23456789");
  CHECK(read(slow) == left_out(2) + "23456789");
}

}  // namespace
}  // namespace vmr
