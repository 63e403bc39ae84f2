// SPDX-License-Identifier: MIT
#include "run/json_session.hpp"

#include "base/log.hpp"
#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "host/pass_descriptors.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace vmr {
namespace {

namespace json = boost::json;

/// So much of a message is logged.
constexpr std::size_t longest_logged = 2000;

/// So many commands may wait for their answers, which may never come.
constexpr std::size_t most_unanswered = 256;

/// So much may wait for one who does not read: the largest script of an `exec`, and some more.
constexpr std::size_t most_unsent = std::size_t{1} << 20;

/// What of a message is for nobody but the two sides: what runs in the guest, and what it answers.
constexpr std::array<std::string_view, 8> unlogged = {
    "input-data", "arg", "env", "out-data", "err-data", "buf-b64", "password", "keys"};

/// `value` with "…" for what is not to be in the log.
json::value for_log(const json::value& value) {
  json::value shown = value;
  if (auto* object = shown.if_object()) {
    for (auto& [key, member] : *object) {
      const bool hide = std::find(unlogged.begin(), unlogged.end(),
                                  std::string_view(key.data(), key.size())) != unlogged.end();
      member = hide ? json::value("…") : for_log(member);
    }
  } else if (auto* array = shown.if_array()) {
    for (auto& element : *array) element = for_log(element);
  }
  return shown;
}

/// A message as a line of the log, or its beginning.
std::string line_for(std::string_view name, char direction, const json::value& message) {
  const auto text = json::serialize(for_log(message));
  const auto size = cut_for(text, longest_logged);
  const auto rest = size < text.size() ? fmt::format("… ({} bytes)", text.size()) : std::string();
  return fmt::format("{} {} {}{}", name, direction, std::string_view(text).substr(0, size), rest);
}

const json::value* find(const json::object& object, std::string_view key) {
  return object.if_contains(json::string_view(key.data(), key.size()));
}

}  // namespace

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::object object_at(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_object() ? value->as_object() : json::object();
}

bool is_true(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::int64_t number_at(const json::object& object, std::string_view key, std::int64_t otherwise) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_int64() ? value->as_int64() : otherwise;
}

JsonSession::JsonSession(boost::asio::any_io_executor executor, UniqueFd socket, std::string name,
                         std::size_t longest_message, OnMessage on_message,
                         std::function<void()> on_closed)
    : name_(std::move(name)),
      on_message_(std::move(on_message)),
      on_closed_(std::move(on_closed)),
      reader_(
          std::move(executor), std::move(socket), longest_message,
          [this](const std::string& line) { on_line(line); },
          [this] {
            closed_ = true;
            abandon("the other side closed the connection");
            if (on_closed_) on_closed_();
          }) {}

void JsonSession::execute(const std::string& command, const json::object& arguments, OnAnswer done,
                          UniqueFd descriptor) {
  const auto id = ++last_id_;
  json::object message = {{"execute", command}, {"id", id}};
  if (!arguments.empty()) message["arguments"] = arguments;
  const auto text = json::serialize(message) + "\n";
  if (is_logged(LogLevel::debug)) log_debug("{}", line_for(name_, '>', message));
  if (sent_.size() >= most_unanswered) {
    const auto oldest = sent_.extract(sent_.begin());
    if (oldest.mapped()) oldest.mapped()({"it does not answer", nullptr});
  }
  if (send(text, std::move(descriptor))) {
    sent_.emplace(id, std::move(done));
  } else if (done) {
    done({"the command could not be sent", nullptr});
  }
}

bool JsonSession::send(const std::string& text, UniqueFd descriptor) {
  if (closed_ || unsent_.size() + text.size() > most_unsent) return false;
  const bool is_first = unsent_.empty();
  if (descriptor) unsent_descriptors_.emplace(unsent_.size(), std::move(descriptor));
  unsent_ += text;
  if (is_first) send_rest();
  return !closed_;
}

/// One who does not read is not waited for; but of a command that was sent in part the rest comes
/// next, or the two would be one.
void JsonSession::send_rest() {
  while (!unsent_.empty()) {
    const auto first = unsent_descriptors_.begin();
    const bool has_one = first != unsent_descriptors_.end() && first->first == 0;
    const auto next = has_one ? std::next(first) : first;
    const auto end = next == unsent_descriptors_.end() ? unsent_.size() : next->first;
    const auto size = send_some(reader_.fd(), std::string_view(unsent_).substr(0, end),
                                has_one ? first->second.get() : -1);
    if (size > 0) {
      take_sent_off(static_cast<std::size_t>(size));
    } else if (size < 0 && errno == EAGAIN) {
      return reader_.when_writable([this] { send_rest(); });
    } else if (size >= 0 || errno != EINTR) {
      closed_ = true;
      unsent_descriptors_.clear();
      return unsent_.clear();
    }
  }
}

void JsonSession::take_sent_off(std::size_t size) {
  unsent_.erase(0, size);
  for (auto& [place, descriptor] : std::exchange(unsent_descriptors_, {})) {
    if (place >= size) unsent_descriptors_.emplace(place - size, std::move(descriptor));
  }
}

void JsonSession::abandon(const std::string& why) {
  for (const auto& [id, done] : std::exchange(sent_, {})) {
    if (done) done({why, nullptr});
  }
}

JsonSession::OnAnswer JsonSession::take_sent(const json::object& answer) {
  // Guest agents before QEMU 4 keep the number to themselves, but the order.
  const auto first = sent_.empty() ? 0 : sent_.begin()->first;
  const auto found = sent_.find(number_at(answer, "id", first));
  if (found == sent_.end()) return {};
  auto done = std::move(found->second);
  sent_.erase(found);
  return done;
}

void JsonSession::on_line(const std::string& line) {
  boost::system::error_code error;
  const auto value = json::parse(line, error);
  const auto* message = error ? nullptr : value.if_object();
  log_within(quota_, LogLevel::debug, name_, [&] {
    return message != nullptr ? line_for(name_, '<', value)
                              : fmt::format("{} < ({} bytes, no message)", name_, line.size());
  });
  if (message == nullptr) return;
  const auto* result = message->if_contains("return");
  if (result == nullptr && !message->contains("error")) return on_message_(*message);
  const auto done = take_sent(*message);
  if (!done) return;
  if (result != nullptr) return done({"", *result});
  const auto why = on_one_line(text_at(object_at(*message, "error"), "desc"));
  done({why.empty() ? "it gave no reason" : why, nullptr});
}

}  // namespace vmr
