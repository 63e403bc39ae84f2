// SPDX-License-Identifier: MIT
// The other side of a session of JSON lines: says the input, and reads nothing.
#pragma once

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "fuzz/fuzz.hpp"
#include "run/log_quota.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vmr::fuzz {

class JsonPeer {
 public:
  JsonPeer() {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "a socket");
    ours_.reset(ends[0]);
    theirs_.reset(ends[1]);
  }

  /// The session's end.
  UniqueFd take_end() { return std::move(theirs_); }
  auto executor() { return context_.get_executor(); }

  /// Says `text` in pieces, the first of which ends anywhere.
  void say(std::string_view text) {
    const auto cut = text.empty() ? 0 : static_cast<unsigned char>(text.front()) % text.size();
    for (auto piece = text.substr(0, cut); !text.empty(); piece = text.substr(0, 65536)) {
      [[maybe_unused]] const auto sent =
          ::send(ours_.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      text.remove_prefix(piece.size());
      poll();
    }
  }

  void close() {
    ours_.reset();
    poll();
  }

 private:
  void poll() {
    context_.restart();
    context_.poll();
  }

  boost::asio::io_context context_{1};
  UniqueFd ours_;
  UniqueFd theirs_;
};

/// What `action` writes to the verbose log has a bounded number of bounded lines, all of UTF-8.
template <typename Action>
void require_bounded_log(Action action) {
  set_log_level(LogLevel::debug);
  const UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  const UniqueFd before(::dup(STDERR_FILENO));
  ::dup2(file.get(), STDERR_FILENO);
  action();
  ::dup2(before.get(), STDERR_FILENO);
  const auto size = static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END));
  constexpr std::size_t longest_line = 10'000;  // control characters are written out
  constexpr std::size_t most_lines = 2 * LogQuota::burst;
  require(size <= most_lines * longest_line, "the log is short");
  std::string log(size, '\0');
  require(::pread(file.get(), log.data(), size, 0) == static_cast<ssize_t>(size), "a log");
  require(is_utf8(log), "the log is UTF-8: " + log);
  require(std::count(log.begin(), log.end(), '\n') <= static_cast<std::ptrdiff_t>(most_lines),
          "the log has few lines");
}

}  // namespace vmr::fuzz
