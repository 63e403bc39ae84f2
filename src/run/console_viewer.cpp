// SPDX-License-Identifier: MIT
#include "run/console_viewer.hpp"

#include "run/adopt_descriptor.hpp"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace vmr {
namespace {

/// Whether a call on a socket failed only for now.
bool is_for_now(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

ConsoleViewer::ConsoleViewer(const boost::asio::any_io_executor& executor, UniqueFd socket,
                             const ConsoleLog& log, ViewerHandlers handlers)
    : socket_(adopt(executor, std::move(socket))), reader_(log), handlers_(std::move(handlers)) {}

void ConsoleViewer::wait_for(Wait what, void (ConsoleViewer::*then)()) {
  socket_.async_wait(what, [self = shared_from_this(), then](boost::system::error_code error) {
    if (!error && !self->closed_) (*self.*then)();
  });
}

void ConsoleViewer::show() {
  if (behind_ || closed_) return;
  for (auto piece = reader_.next(); !piece.empty(); piece = reader_.next()) {
    const auto sent =
        ::send(socket_.native_handle(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && !is_for_now(errno)) return end();
    if (sent < 0) {
      behind_ = true;
      return wait_for(Wait::wait_write, &ConsoleViewer::go_on_showing);
    }
    reader_.advance(static_cast<std::size_t>(sent));
  }
}

void ConsoleViewer::go_on_showing() {
  behind_ = false;
  show();
  if (!behind_ && !closed_) handlers_.caught_up();
}

void ConsoleViewer::take_keys() {
  if (reading_ || closed_) return;
  reading_ = true;
  wait_for(Wait::wait_read, &ConsoleViewer::read_keys);
}

void ConsoleViewer::read_keys() {
  reading_ = false;
  std::array<char, 4096> keys{};
  const auto count = ::recv(socket_.native_handle(), keys.data(), keys.size(), MSG_DONTWAIT);
  if (count < 0 && is_for_now(errno)) return take_keys();
  if (count <= 0) return end();
  const bool more = handlers_.typed({keys.data(), static_cast<std::size_t>(count)});
  if (more) return take_keys();
  // Nobody reads the end of the connection now, so it has to be waited for.
  if (std::exchange(watching_, true) || closed_) return;
  wait_for(Wait::wait_error, &ConsoleViewer::end_if_not_reading);
}

void ConsoleViewer::end_if_not_reading() {
  watching_ = false;
  if (!reading_) end();
}

void ConsoleViewer::end() {
  close();
  handlers_.gone();
}

void ConsoleViewer::close() {
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace vmr
