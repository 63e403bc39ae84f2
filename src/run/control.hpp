// SPDX-License-Identifier: MIT
// The control socket of a running VM: how `status` and the like talk to its launcher. Requests and
// answers are lines of JSON, {"version": 1, "request": "status"} and {"version": 1, "status": {…}}
// or {"version": 1, "error": "why not"}.
#pragma once

#include "base/unique_fd.hpp"
#include "run/line_reader.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace vmr {

inline constexpr int control_version = 1;

/// Answers requests at a socket of mode 0600 for as long as it exists. Other users than ours and
/// root are refused; at most a few are served at a time.
class ControlServer {
 public:
  /// What a request gets: the members of the answer beside its version.
  using OnRequest = std::function<boost::json::object(const std::string& request)>;

  /// Throws Error when the socket cannot be made.
  ControlServer(boost::asio::any_io_executor executor, const std::string& path,
                OnRequest on_request);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  void accept();
  void serve(UniqueFd connection);
  [[nodiscard]] std::string answer(const std::string& line) const;

  boost::asio::any_io_executor executor_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  OnRequest on_request_;
  std::map<int, std::unique_ptr<LineReader>> connections_;  ///< by a running number
  int last_number_ = 0;
};

/// Sends `request` to the launcher behind the socket at `path` and returns the member of that name
/// of its answer. Throws Error when nobody answers within some seconds, or with the reason that the
/// answer gives; the error says "no VM named `vm_name` is running" when there is none.
boost::json::object ask_launcher(const std::string& path, const std::string& vm_name,
                                 const std::string& request);

}  // namespace vmr
