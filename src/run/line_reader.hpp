// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace vmr {

/// Reads lines from a socket or pipe for as long as it exists. Untrusted input costs bounded
/// memory: a longer line is cut as LineSplitter does.
class LineReader {
 public:
  using OnLine = std::function<void(const std::string& line)>;  ///< without its line end
  using OnEnd = std::function<void()>;  ///< the other side closed; called at most once

  LineReader(const boost::asio::any_io_executor& executor, UniqueFd fd, std::size_t longest,
             OnLine on_line, OnEnd on_end);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The descriptor, for writing to the same socket.
  [[nodiscard]] int fd() const;

  /// Calls `then` once, as soon as something can be written to it; never after the end.
  void when_writable(std::function<void()> then);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vmr
