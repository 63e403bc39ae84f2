// SPDX-License-Identifier: MIT
#include "run/qmp.hpp"

#include "base/log.hpp"

#include <boost/json.hpp>

#include <memory>
#include <utility>

namespace vmr {
namespace {

/// Of the answers to what we ask none has more than some 10 KiB.
constexpr std::size_t longest_qmp_message = 1 << 20;

}  // namespace

Qmp::Qmp(boost::asio::any_io_executor executor, UniqueFd socket, QmpHandlers handlers)
    : handlers_(std::move(handlers)),
      session_(
          std::move(executor), std::move(socket), "qmp", longest_qmp_message,
          [this](const boost::json::object& message) { on_message(message); },
          [this] { handlers_.closed(); }) {}

void Qmp::execute(const std::string& command, const boost::json::object& arguments,
                  JsonSession::OnAnswer done) {
  if (!done) {
    done = [command](const JsonAnswer& answer) {
      if (!answer.ok()) log_debug("'{}' failed: {}", command, answer.error);
    };
  }
  session_.execute(command, arguments, std::move(done));
}

void Qmp::add_chardev(const std::string& id, UniqueFd socket, const JsonSession::OnAnswer& done) {
  const boost::json::object address = {{"type", "fd"}, {"data", {{"str", id}}}};
  const boost::json::object backend = {{"type", "socket"},
                                       {"data", {{"addr", address}, {"server", false}}}};
  // QEMU does one after the other, so the second need not wait: without the first it fails.
  const auto failed = std::make_shared<bool>(false);
  session_.execute(
      "getfd", {{"fdname", id}},
      [done, failed](const JsonAnswer& answer) {
        *failed = !answer.ok();
        if (*failed) done(answer);
      },
      std::move(socket));
  execute("chardev-add", {{"id", id}, {"backend", backend}},
          [done, failed](const JsonAnswer& answer) {
            if (!*failed) done(answer);
          });
}

void Qmp::on_message(const boost::json::object& message) {
  if (message.contains("QMP")) {
    execute("qmp_capabilities", {}, [this](const JsonAnswer& answer) {
      if (answer.ok()) handlers_.ready();
    });
  } else if (const auto name = text_at(message, "event"); !name.empty()) {
    handlers_.event(name, object_at(message, "data"));
  }
}

}  // namespace vmr
