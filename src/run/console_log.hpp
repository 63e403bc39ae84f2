// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmr {

/// The last bytes that the guest wrote on its console. Each has a position, counted from the very
/// first one, so that one who reads them is a number and costs no memory.
class ConsoleLog {
 public:
  /// Keeps `capacity` bytes, at least one.
  explicit ConsoleLog(std::size_t capacity = std::size_t{64} * 1024);

  void append(std::string_view bytes);

  /// The position of the oldest byte that is kept, and the one behind the newest.
  [[nodiscard]] std::uint64_t begin() const;
  [[nodiscard]] std::uint64_t end() const { return end_; }

  /// Bytes from `position` on, which is one of begin() to end(): as many as lie in one piece, none
  /// only at end(). Valid until the next `append`.
  [[nodiscard]] std::string_view piece_at(std::uint64_t position) const;

 private:
  std::string bytes_;  ///< the byte of position p is at p modulo its size
  std::uint64_t end_ = 0;
};

/// Reads a ConsoleLog at a pace of its own, from the oldest byte on. Where bytes were overwritten
/// before it came to them, it reads a line that tells how many.
class ConsoleReader {
 public:
  /// `log` outlives it.
  explicit ConsoleReader(const ConsoleLog& log) : log_(log), position_(log.begin()) {}

  /// What comes next, in one piece; empty when it has read all. Valid until the log grows.
  std::string_view next();

  /// The first `count` bytes of `next()` are read.
  void advance(std::size_t count);

 private:
  const ConsoleLog& log_;
  std::uint64_t position_;
  std::string notice_;  ///< what is still to be read before the byte at position_
};

}  // namespace vmr
