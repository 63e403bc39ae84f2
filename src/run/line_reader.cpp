// SPDX-License-Identifier: MIT
#include "run/line_reader.hpp"

#include "run/adopt_descriptor.hpp"
#include "run/guarded.hpp"
#include "run/line_splitter.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <string_view>

namespace vmr {

struct LineReader::State : std::enable_shared_from_this<State> {
  State(const boost::asio::any_io_executor& executor, UniqueFd fd, std::size_t longest,
        OnLine on_line, OnEnd on_end)
      : stream(adopt(executor, std::move(fd))),
        splitter(longest),
        on_line(std::move(on_line)),
        on_end(std::move(on_end)) {}

  void read() {
    stream.async_read_some(
        boost::asio::buffer(buffer),
        [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
          if (!self->on_line) return;
          if (!error) self->take({self->buffer.data(), count});
          if (!self->on_line) return;  // closed by what a line led to
          if (!error) return self->read();
          const auto end = std::exchange(self->on_end, nullptr);
          if (end) end();
        });
  }

  void take(std::string_view text) {
    for (auto& line : splitter.feed(text)) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      // What one line leads to must not make us deaf to those after it.
      guarded([&] { on_line(line); });
      if (!on_line) return;
    }
  }

  boost::asio::posix::stream_descriptor stream;
  LineSplitter splitter;
  OnLine on_line;
  OnEnd on_end;
  std::array<char, 4096> buffer{};
};

LineReader::LineReader(const boost::asio::any_io_executor& executor, UniqueFd fd,
                       std::size_t longest, OnLine on_line, OnEnd on_end)
    : state_(std::make_shared<State>(executor, std::move(fd), longest, std::move(on_line),
                                     std::move(on_end))) {
  state_->read();
}

LineReader::~LineReader() {
  state_->on_end = nullptr;
  // Reset last and through a copy: this may run inside that very callback.
  const auto keep = std::exchange(state_->on_line, nullptr);
  boost::system::error_code ignored;
  state_->stream.close(ignored);
}

void LineReader::when_writable(std::function<void()> then) {
  state_->stream.async_wait(
      boost::asio::posix::stream_descriptor::wait_write,
      [state = state_, then = std::move(then)](boost::system::error_code error) {
        if (!error && state->on_line) then();
      });
}

int LineReader::fd() const {
  return state_->stream.native_handle();
}

}  // namespace vmr
