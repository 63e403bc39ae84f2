// SPDX-License-Identifier: MIT
#include "run/control.hpp"

#include "base/log.hpp"
#include "host/pass_descriptors.hpp"
#include "run/control_proof.hpp"
#include "run/json_session.hpp"
#include "run/json_text.hpp"
#include "run/line_reader.hpp"
#include "run/runtime_folder.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_request = std::size_t{256} * 1024;  // the command of an `exec`
constexpr std::size_t most_connections = 128;
/// How long nobody is accepted when that failed, as for want of descriptors.
constexpr auto accept_pause = std::chrono::milliseconds(500);

/// Who has connected; none: the kernel does not tell.
std::optional<ucred> peer_of(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer;
}

bool is_allowed(const ucred& peer, const ControlServer::Admits& admits) {
  return (peer.uid == ::geteuid() || peer.uid == 0) && (!admits || admits(peer.pid));
}

/// The request in a line of the protocol; throws Error for anything else.
json::object parse_request(const std::string& line) {
  boost::system::error_code error;
  auto value = json::parse(line, error);
  auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) throw Error("a request is one line with a JSON object", "", "");
  const auto* version = object->if_contains("version");
  if (version == nullptr || *version != json::value(control_version)) {
    throw Error(fmt::format("this launcher speaks version {} only", control_version), "", "");
  }
  if (text_at(*object, "request").empty()) throw Error("no request given", "", "");
  return std::move(*object);
}

json::object error_reply(const Error& error) {
  const std::string why = error.what();
  json::object reply = {
      {"error", to_utf8(error.cause.empty() ? why : fmt::format("{}: {}", why, error.cause))}};
  if (!error.hint.empty()) reply["hint"] = to_utf8(error.hint);
  return reply;
}

json::object error_reply(const InvalidConfig& invalid) {
  json::array problems;
  for (const auto& problem : invalid.problems) {
    problems.push_back({{"message", to_utf8(problem.message)},
                        {"origin", to_utf8(problem.origin)},
                        {"hint", to_utf8(problem.hint)},
                        {"status", static_cast<int>(problem.status)}});
  }
  return {{"error", invalid.what()}, {"problems", std::move(problems)}};
}

}  // namespace

/// One who talks to us. Kept by the server until it is closed, and by its open request.
class ControlConnection : public std::enable_shared_from_this<ControlConnection> {
 public:
  /// `proof_beside`: the control socket beside which this client has to prove itself; empty: it
  /// need not.
  ControlConnection(UniqueFd socket, std::string proof_beside, ControlServer::OnRequest on_request,
                    std::function<void()> on_closed)
      : socket_(std::move(socket)),
        proof_beside_(std::move(proof_beside)),
        on_request_(std::move(on_request)),
        on_closed_(std::move(on_closed)) {}

  void start(const boost::asio::any_io_executor& executor) {
    // The reader has a descriptor of its own, so that the socket can be given away.
    UniqueFd reading(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
    if (!reading) throw Error("a connection cannot be served", std::strerror(errno), "");
    reader_.emplace(
        executor, std::move(reading), longest_request,
        [self = shared_from_this()](const std::string& line) { self->take(line); },
        [self = shared_from_this()] { self->close(); });
  }

  void send(json::object reply, const std::vector<int>& descriptors = {}) {
    is_open_request_ = false;
    if (!socket_) return;
    reply["version"] = control_version;
    // One who does not read is not waited for.
    send_with_descriptors(socket_.get(), json::serialize(reply) + "\n", descriptors);
  }

  UniqueFd give_away() {
    auto socket = std::move(socket_);
    on_gone_ = nullptr;
    close();
    return socket;
  }

  [[nodiscard]] bool asks() const { return is_open_request_; }

  /// Makes room for another one.
  void evict() {
    const Error error("the launcher has no room for another connection",
                      fmt::format("{} are open already", most_connections), "");
    if (is_open_request_) send(error_reply(error));
    close();
  }

  void set_on_gone(std::function<void()> on_gone) { on_gone_ = std::move(on_gone); }

  void close() {
    socket_.reset();
    reader_.reset();
    const auto on_gone = std::exchange(on_gone_, nullptr);
    if (on_gone) on_gone();
    const auto on_closed = std::exchange(on_closed_, nullptr);
    if (on_closed) on_closed();
  }

 private:
  void take(const std::string& line) {
    if (is_open_request_) {
      return send(error_reply(Error("the request before this one is not answered yet", "", "")));
    }
    json::object body;
    try {
      body = parse_request(line);
      check_proof(body);
    } catch (const Error& error) {
      return send(error_reply(error));
    }
    is_open_request_ = true;
    const auto request = std::make_shared<ControlRequest>(shared_from_this(), std::move(body));
    request->attempt([&] { on_request_(request); });
  }

  void check_proof(const json::object& body) {
    if (proof_beside_.empty()) return;
    if (take_proof(proof_beside_, text_at(body, "proof"))) return proof_beside_.clear();
    throw Error("the request does not prove that it may be made",
                "its process cannot gain privileges, as QEMU cannot, and has made no file in the "
                "runtime folder",
                "ask with vm-runner, as a process that may write there");
  }

  UniqueFd socket_;
  std::string proof_beside_;
  std::optional<LineReader> reader_;
  ControlServer::OnRequest on_request_;
  std::function<void()> on_closed_;
  std::function<void()> on_gone_;
  bool is_open_request_ = false;
};

ControlRequest::ControlRequest(std::shared_ptr<ControlConnection> connection, json::object body)
    : connection_(std::move(connection)),
      body_(std::move(body)),
      name_(text_at(body_, "request")) {}

ControlRequest::~ControlRequest() {
  if (!answered_) fail(Error("the launcher ended before it could answer", "", ""));
}

void ControlRequest::answer(json::object result) {
  answer(std::move(result), {});
}

void ControlRequest::answer(json::object result, const std::vector<int>& descriptors) {
  answered_ = true;
  connection_->send({{name_, std::move(result)}}, descriptors);
}

void ControlRequest::fail(const Error& error) {
  answered_ = true;
  connection_->send(error_reply(error));
}

void ControlRequest::attempt(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    fail(error);
  } catch (const InvalidConfig& invalid) {
    answered_ = true;
    connection_->send(error_reply(invalid));
  } catch (const std::exception& fault) {
    // Ours, not the client's; and never one that a running guest pays for.
    log_error("The request '{}' failed: {}; the VM goes on", name_, fault.what());
    fail(Error(fmt::format("the request '{}' failed: {}", name_, fault.what()),
               "a fault in vm-runner; the VM goes on", "report it with the launcher's log"));
  }
}

void ControlRequest::say_more(json::object more) {
  connection_->send({{name_, std::move(more)}});
}

UniqueFd ControlRequest::take_over(json::object result) {
  answer(std::move(result));
  return connection_->give_away();
}

void ControlRequest::on_gone(std::function<void()> on_gone) {
  connection_->set_on_gone(std::move(on_gone));
}

struct ControlServer::State : std::enable_shared_from_this<State> {
  State(const boost::asio::any_io_executor& executor, const std::string& path, OnRequest on_request,
        Admits admits)
      : executor(executor),
        path(path),
        acceptor(executor, boost::asio::local::stream_protocol(), listen_at(path).release()),
        on_request(std::move(on_request)),
        admits(std::move(admits)),
        pause(executor) {}

  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](boost::system::error_code error,
                                    boost::asio::local::stream_protocol::socket connection) {
          if (error == boost::asio::error::operation_aborted) return;
          if (error) return self->accept_later(error.message());
          try {
            self->serve(UniqueFd(connection.release()));
          } catch (const std::exception& fault) {
            return self->accept_later(fault.what());
          }
          self->accept();
        });
  }

  /// One who waits at the door keeps it ready, so that trying again at once would never end.
  void accept_later(const std::string& why) {
    if (!std::exchange(told_why, true)) {
      log_warn("A client cannot be served: {}; the VM goes on", why);
    }
    pause.expires_after(accept_pause);
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->acceptor.is_open()) self->accept();
    });
  }

  void serve(UniqueFd socket) {
    const auto peer = peer_of(socket.get());
    if (!peer || !is_allowed(*peer, admits)) return;
    make_room();
    const int number = ++last_number;
    const auto connection = std::make_shared<ControlConnection>(
        std::move(socket), has_to_prove(peer->pid) ? path : "", on_request,
        [this, number] { connections.erase(number); });
    connection->start(executor);
    connections[number] = connection;
  }

  void make_room() {
    if (connections.size() < most_connections) return;
    auto oldest = std::find_if(connections.begin(), connections.end(),
                               [](const auto& numbered) { return !numbered.second->asks(); });
    if (oldest == connections.end()) oldest = connections.begin();
    const auto connection = oldest->second;
    connection->evict();
  }

  boost::asio::any_io_executor executor;
  std::string path;
  boost::asio::local::stream_protocol::acceptor acceptor;
  OnRequest on_request;
  Admits admits;
  boost::asio::steady_timer pause;
  bool told_why = false;  ///< why a client could not be served
  std::map<int, std::shared_ptr<ControlConnection>> connections;  ///< by a running number
  int last_number = 0;
};

ControlServer::ControlServer(const boost::asio::any_io_executor& executor, const std::string& path,
                             OnRequest on_request, Admits admits)
    : state_(std::make_shared<State>(executor, path, std::move(on_request), std::move(admits))) {
  state_->accept();
}

ControlServer::~ControlServer() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  for (const auto& [number, connection] : std::exchange(state_->connections, {})) {
    connection->close();
  }
}

}  // namespace vmr
