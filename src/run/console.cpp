// SPDX-License-Identifier: MIT
#include "run/console.hpp"

#include "base/log.hpp"
#include "run/login_prompt.hpp"
#include "run/terminal.hpp"
#include "run/terminal_queries.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <unistd.h>

namespace vmr {
namespace {

using boost::asio::posix::stream_descriptor;
using Wait = stream_descriptor::wait_type;

/// A pipe that can be written to takes at least this much without blocking (PIPE_BUF).
constexpr std::size_t portion = 4096;

/// A guest that has said nothing for so long waits for somebody.
constexpr std::chrono::milliseconds time_of_quiet{200};

/// False for a regular file and for /dev/null: they are always ready, and epoll refuses them.
bool can_be_waited_for(int fd) {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

// The standard streams are waited for and then used with plain read and write: making them
// non-blocking would change them for every other process on the same terminal.
struct Console::State : std::enable_shared_from_this<State> {
  State(const boost::asio::any_io_executor& executor, UniqueFd fd, ConsoleMode mode,
        ConsoleViewers& viewers, std::function<void()> on_leave, std::function<void()> on_end)
      : socket(executor, fd.release()),
        input(executor),
        mode(std::move(mode)),
        viewers(viewers),
        on_leave(std::move(on_leave)),
        on_end(std::move(on_end)),
        quiet(executor) {
    // Asio would take one that cannot be waited for, and then fail in the child of every fork.
    if (can_be_waited_for(STDOUT_FILENO)) output.emplace(executor, ::dup(STDOUT_FILENO));
    if (this->mode.interactive) {
      input.assign(::dup(STDIN_FILENO));
      raw.emplace(STDIN_FILENO);
    }
  }

  void read_guest() {
    socket.async_read_some(
        boost::asio::buffer(from_guest),
        [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
          if (self->closed) return;
          if (error) return self->viewers.when_shown(self->on_end);
          const std::string_view said(self->from_guest.data(), count);
          self->quiet.cancel();
          self->login_prompt.take(said);
          self->viewers.show(said);
          // Where no keyboard is passed on, a terminal's answer would go to somebody else.
          self->pending = self->mode.interactive ? std::string(said) : self->queries.take(said);
          self->show_pending();
        });
  }

  void read_more() {
    if (mode.show && login_prompt.is_new() && !mode.login_note.empty()) note_when_quiet();
    read_guest();
  }

  /// Only a guest that waits asks: "Last login: Monday" may come in two pieces.
  void note_when_quiet() {
    quiet.expires_after(time_of_quiet);
    quiet.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (error || self->closed || !self->login_prompt.is_new()) return;
      self->login_prompt.told();
      // The prompt stays the last thing on a screen.
      if (self->mode.interactive) self->write_now("\n");
      log_info("{}", self->mode.login_note);
      if (self->mode.interactive) self->write_now(self->login_prompt.line());
    });
  }

  /// A few words; those that do not fit are lost.
  static void write_now(std::string_view text) {
    [[maybe_unused]] const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
  }

  void show_pending() {
    if (!mode.show || pending.empty()) return read_more();
    if (!output) {
      write_portion();
      return show_pending();
    }
    output->async_wait(Wait::wait_write,
                       [self = shared_from_this()](boost::system::error_code error) {
                         if (self->closed) return;
                         if (error) self->mode.show = false;
                         if (!error) self->write_portion();
                         self->show_pending();
                       });
  }

  void write_portion() {
    const auto count = ::write(STDOUT_FILENO, pending.data(), std::min(pending.size(), portion));
    if (count > 0) {
      pending.erase(0, static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      mode.show = false;  // nobody reads any more; the guest goes on
    }
  }

  void read_keys() {
    input.async_wait(Wait::wait_read, [self = shared_from_this()](boost::system::error_code error) {
      if (error || self->closed) return;
      self->send_keys();
    });
  }

  void send_keys() {
    std::array<char, portion> keys{};
    const auto count = ::read(input.native_handle(), keys.data(), keys.size());
    if (count <= 0) return raw.reset();
    const auto typed = escape.take({keys.data(), static_cast<std::size_t>(count)});
    // A guest that does not read its console loses keys, as on a real serial line.
    if (to_guest.empty()) write_to_guest(typed.for_guest);
    const auto hint = escape.hint("leaves the console and stops the VM");
    if (!hint.empty()) log_info("{}", hint);
    if (!typed.leave) return read_keys();
    raw.reset();
    on_leave();
  }

  /// How much of `keys` the guest takes at once; all of it when its side is closed.
  std::size_t write_to_guest(std::string_view keys) {
    boost::system::error_code error;
    socket.non_blocking(true, error);
    const auto count = socket.write_some(boost::asio::buffer(keys.data(), keys.size()), error);
    return error && error != boost::asio::error::try_again ? keys.size() : count;
  }

  /// False when the guest is behind. What viewers type waits for it then, and no more is taken: it
  /// may come from a file, which is not to lose its middle.
  bool take_typed(std::string_view keys) {
    const bool behind = !to_guest.empty();
    to_guest += keys;
    if (!behind) send_to_guest();
    return to_guest.empty();
  }

  void send_to_guest() {
    to_guest.erase(0, write_to_guest(to_guest));
    if (to_guest.empty()) return;
    socket.async_wait(Wait::wait_write,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (error || self->closed) return;
                        self->send_to_guest();
                        if (self->to_guest.empty()) self->viewers.take_keys();
                      });
  }

  stream_descriptor socket;
  stream_descriptor input;
  std::optional<stream_descriptor> output;  ///< standard output, where it can be waited for
  ConsoleMode mode;
  ConsoleViewers& viewers;
  std::function<void()> on_leave;
  std::function<void()> on_end;
  std::optional<RawTerminal> raw;
  EscapeKeys escape;
  QueryFilter queries;
  LoginPrompt login_prompt;
  boost::asio::steady_timer quiet;
  std::array<char, portion> from_guest{};
  std::string pending;   ///< what the guest said and standard output has not taken
  std::string to_guest;  ///< what viewers typed and the guest has not taken
  bool closed = false;
};

Console::Console(const boost::asio::any_io_executor& executor, UniqueFd socket, ConsoleMode mode,
                 ConsoleViewers& viewers, std::function<void()> on_leave,
                 std::function<void()> on_end)
    : state_(std::make_shared<State>(executor, std::move(socket), std::move(mode), viewers,
                                     std::move(on_leave), std::move(on_end))) {
  viewers.set_typed(
      [state = state_.get()](std::string_view keys) { return state->take_typed(keys); });
  state_->read_guest();
  if (state_->mode.interactive) state_->read_keys();
}

Console::~Console() {
  state_->closed = true;
  state_->viewers.set_typed(nullptr);
  state_->viewers.when_shown(nullptr);
  state_->raw.reset();
  state_->quiet.cancel();
  boost::system::error_code ignored;
  state_->socket.close(ignored);
  state_->input.close(ignored);
  state_->output.reset();
}

}  // namespace vmr
