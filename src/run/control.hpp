// SPDX-License-Identifier: MIT
// The control socket of a running VM: how `status` and the like talk to its launcher. A request is
// one line of JSON, {"version": 1, "request": "status", …}, and so is its answer, {"version": 1,
// "status": {…}} or {"version": 1, "error": "why not", "hint": "what to do"}; of settings that are
// wrong the error has all "problems", each with "message", "origin" and "hint". A process that
// cannot gain privileges proves itself by "proof" (control_proof.hpp).
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vmr {

inline constexpr int control_version = 1;

class ControlConnection;

/// A request that waits for its answer: given once, now or later. One that is dropped without any
/// is answered so.
class ControlRequest {
 public:
  ControlRequest(std::shared_ptr<ControlConnection> connection, boost::json::object body);
  ~ControlRequest();
  ControlRequest(const ControlRequest&) = delete;
  ControlRequest& operator=(const ControlRequest&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const boost::json::object& body() const { return body_; }

  /// The other side may have gone meanwhile; then the answers below do nothing.
  void answer(boost::json::object result);

  /// `descriptors` go with the answer; they stay ours.
  void answer(boost::json::object result, const std::vector<int>& descriptors);
  void fail(const Error& error);

  /// Calls `act`; the Error or InvalidConfig that it throws is the answer.
  void attempt(const std::function<void()>& act);
  /// Says more about it, once it is answered.
  void say_more(boost::json::object more);

  /// Answers, and gives the connection away: what follows the answer on it is up to the caller.
  /// None when the other side has gone.
  UniqueFd take_over(boost::json::object result);

  /// `on_gone` is called once when the other side closes the connection, answered or not.
  void on_gone(std::function<void()> on_gone);

 private:
  std::shared_ptr<ControlConnection> connection_;
  boost::json::object body_;
  std::string name_;
  bool answered_ = false;
};

/// Takes requests at a socket of mode 0600 for as long as it exists. Other users than ours and root
/// are refused. At most 128 are connected at a time, each with one request open at a time: another
/// one takes the place of the oldest that asks nothing, or of the oldest. Want of descriptors is
/// logged once and waited out.
class ControlServer {
 public:
  /// May throw Error or InvalidConfig: the answer is then that one.
  using OnRequest = std::function<void(const std::shared_ptr<ControlRequest>& request)>;

  /// Whether the process `peer`, of a user that may ask, is served.
  using Admits = std::function<bool(pid_t peer)>;

  /// Throws Error when the socket cannot be made. Without `admits` every process is served.
  ControlServer(const boost::asio::any_io_executor& executor, const std::string& path,
                OnRequest on_request, Admits admits = {});
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vmr
