// SPDX-License-Identifier: MIT
// What QEMU's monitor and its guest agent have in common: commands and answers, a line of JSON
// each, with a number by which the answer is known.
#pragma once

#include "base/unique_fd.hpp"
#include "run/line_reader.hpp"
#include "run/log_quota.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace vmr {

/// How a command went.
struct JsonAnswer {
  std::string error;          ///< why it failed; empty: it did not
  boost::json::value result;  ///< what it returned

  [[nodiscard]] bool ok() const { return error.empty(); }
};

/// object[key] as text; empty when it is not there.
std::string text_at(const boost::json::object& object, std::string_view key);

/// object[key] as an object; empty when it is not there.
boost::json::object object_at(const boost::json::object& object, std::string_view key);

/// Whether object[key] is there and true.
bool is_true(const boost::json::object& object, std::string_view key);

/// object[key] as a whole number; `otherwise` when it is not there.
std::int64_t number_at(const boost::json::object& object, std::string_view key,
                       std::int64_t otherwise);

/// Sends commands over a connected socket. The other side is not trusted: what is no answer to a
/// command of ours is ignored; its lines are bounded, and how many of them are logged, and what
/// waits for it.
class JsonSession {
 public:
  using OnAnswer = std::function<void(const JsonAnswer& answer)>;
  /// A message that is no answer: a greeting, an event.
  using OnMessage = std::function<void(const boost::json::object& message)>;

  /// `name` stands in the debug log; what is longer than `longest_message` bytes is no message;
  /// `on_closed` is called once the other side has closed.
  JsonSession(boost::asio::any_io_executor executor, UniqueFd socket, std::string name,
              std::size_t longest_message, OnMessage on_message, std::function<void()> on_closed);

  /// Sends {"execute": command, "arguments": …}; `done` is called once, later, with the answer, or
  /// with an error when none can come any more, or is the oldest of too many to be waited for.
  /// `descriptor` goes with it, for good.
  void execute(const std::string& command, const boost::json::object& arguments, OnAnswer done,
               UniqueFd descriptor = {});

  /// Gives up every command that is not answered yet, saying `why`.
  void abandon(const std::string& why);

 private:
  void on_line(const std::string& line);
  /// False when the other side is gone, or so far behind that nothing more is kept for it.
  bool send(const std::string& text, UniqueFd descriptor);
  void send_rest();
  void take_sent_off(std::size_t size);
  OnAnswer take_sent(const boost::json::object& answer);

  std::string name_;
  OnMessage on_message_;
  std::function<void()> on_closed_;
  std::map<std::int64_t, OnAnswer> sent_;  ///< whose answers are still to come, by number
  std::int64_t last_id_ = 0;
  bool closed_ = false;
  std::string unsent_;  ///< begins in the middle of a command, perhaps
  std::map<std::size_t, UniqueFd>
      unsent_descriptors_;  ///< by where in `unsent_` their commands are
  LogQuota quota_;          ///< of what the other side says
  LineReader reader_;
};

}  // namespace vmr
