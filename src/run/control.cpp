// SPDX-License-Identifier: MIT
#include "run/control.hpp"

#include "base/error.hpp"
#include "run/runtime_folder.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_request = 4096;
constexpr std::size_t most_connections = 16;
constexpr int patience = 5000;  // ms

bool is_allowed(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

/// The word after "request" in a line of the protocol; throws Error for anything else.
std::string request_in(const std::string& line) {
  boost::system::error_code error;
  const auto value = json::parse(line, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) throw Error("a request is one line with a JSON object", "", "");
  const auto* version = object->if_contains("version");
  if (version == nullptr || *version != json::value(control_version)) {
    throw Error(fmt::format("this launcher speaks version {} only", control_version), "", "");
  }
  const auto* request = object->if_contains("request");
  if (request == nullptr || !request->is_string()) throw Error("no request given", "", "");
  return std::string(request->as_string());
}

[[noreturn]] void fail_to_ask(const std::string& vm_name, const std::string& cause) {
  throw Error(fmt::format("the launcher of VM '{}' does not answer", vm_name), cause, "");
}

UniqueFd connect_to_launcher(const std::string& path, const std::string& vm_name) {
  if (::access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error(fmt::format("no VM named '{}' is running", vm_name),
                fmt::format("there is no {}", path), "set GUEST_NAME to the name of one that runs");
  }
  try {
    return connect_to(path);
  } catch (const Error& error) {
    // A killed launcher leaves its socket behind.
    if (error.cause != std::strerror(ECONNREFUSED)) throw;
    throw Error(fmt::format("no VM named '{}' is running", vm_name), error.what(),
                "its launcher was killed; the next start clears what it left");
  }
}

std::string read_line(const UniqueFd& connection, const std::string& vm_name) {
  std::string text;
  while (text.find('\n') == text.npos) {
    pollfd ready{connection.get(), POLLIN, 0};
    const int count = ::poll(&ready, 1, patience);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) fail_to_ask(vm_name, fmt::format("no word within {} s", patience / 1000));
    char buffer[4096];
    const auto size = ::read(connection.get(), buffer, sizeof buffer);
    if (size <= 0) fail_to_ask(vm_name, "it closed the connection");
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

ControlServer::ControlServer(boost::asio::any_io_executor executor, const std::string& path,
                             OnRequest on_request)
    : executor_(executor),
      acceptor_(executor, boost::asio::local::stream_protocol(), listen_at(path).release()),
      on_request_(std::move(on_request)) {
  accept();
}

void ControlServer::accept() {
  acceptor_.async_accept([this](boost::system::error_code error,
                                boost::asio::local::stream_protocol::socket connection) {
    if (error == boost::asio::error::operation_aborted) return;
    if (!error) serve(UniqueFd(connection.release()));
    accept();
  });
}

void ControlServer::serve(UniqueFd connection) {
  if (connections_.size() >= most_connections || !is_allowed(connection.get())) return;
  const int fd = connection.get();
  const int number = ++last_number_;
  connections_[number] = std::make_unique<LineReader>(
      executor_, std::move(connection), longest_request,
      [this, fd](const std::string& line) {
        const auto text = answer(line) + "\n";
        // One who does not read is not waited for.
        ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      },
      [this, number] { connections_.erase(number); });
}

std::string ControlServer::answer(const std::string& line) const {
  json::object reply;
  try {
    reply = on_request_(request_in(line));
  } catch (const Error& error) {
    reply["error"] = error.what();
  }
  reply["version"] = control_version;
  return json::serialize(reply);
}

json::object ask_launcher(const std::string& path, const std::string& vm_name,
                          const std::string& request) {
  const auto connection = connect_to_launcher(path, vm_name);
  const auto text =
      json::serialize(json::object{{"version", control_version}, {"request", request}}) + "\n";
  if (::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(text.size())) {
    fail_to_ask(vm_name, std::strerror(errno));
  }
  boost::system::error_code error;
  const auto value = json::parse(read_line(connection, vm_name), error);
  const auto* reply = error ? nullptr : value.if_object();
  if (reply == nullptr) fail_to_ask(vm_name, "its answer is not JSON");
  if (const auto* refused = reply->if_contains("error"); refused && refused->is_string()) {
    fail_to_ask(vm_name, std::string(refused->as_string()));
  }
  const auto* result = reply->if_contains(request);
  if (result == nullptr || !result->is_object()) fail_to_ask(vm_name, "its answer has no result");
  return result->as_object();
}

}  // namespace vmr
