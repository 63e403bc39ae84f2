// SPDX-License-Identifier: MIT
#include "run/control_client.hpp"

#include "base/error.hpp"
#include "host/pass_descriptors.hpp"
#include "run/control.hpp"
#include "run/control_proof.hpp"
#include "run/json_session.hpp"
#include "run/runtime_folder.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace vmr {
namespace {

namespace json = boost::json;

constexpr int some_seconds = 5;

[[noreturn]] void fail_to_ask(const std::string& vm_name, const std::string& cause) {
  throw Error(fmt::format("the launcher of VM '{}' does not answer", vm_name), cause, "");
}

/// Another user may have made what is found there: who listens is asked of the kernel.
void check_launcher(const UniqueFd& connection, const std::string& vm_name) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    fail_to_ask(vm_name, std::strerror(errno));
  }
  if (peer.uid == ::geteuid() || peer.uid == 0) return;
  throw Error(
      fmt::format("what answers for VM '{}' is not its launcher", vm_name),
      fmt::format("user {} listens at its socket, who is neither this user nor root", peer.uid),
      "look who made the runtime folder, and remove it");
}

UniqueFd connect_to_launcher(const ControlAddress& address) {
  const auto message = fmt::format("no VM named '{}' is running", address.vm_name);
  if (::access(address.socket.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error(message, fmt::format("there is no {}", address.socket),
                "set GUEST_NAME to the name of one that runs");
  }
  auto connection = connect_within(address.socket, std::chrono::seconds(some_seconds));
  if (connection) {
    check_launcher(connection, address.vm_name);
    return connection;
  }
  if (errno == ECONNREFUSED) {
    throw Error(message, fmt::format("nobody listens at {}", address.socket),
                "its launcher was killed; the next start clears what it left");
  }
  fail_to_ask(address.vm_name, std::strerror(errno));
}

void send_all(const UniqueFd& connection, std::string_view text, const std::string& vm_name) {
  while (!text.empty()) {
    const auto size = ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail_to_ask(vm_name, std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

/// The first line that comes, and into `reply` what comes with it.
std::string read_line(const std::string& vm_name, Patience patience, ControlReply& reply) {
  std::string text;
  while (text.find('\n') == text.npos) {
    pollfd ready{reply.connection.get(), POLLIN, 0};
    const int count = ::poll(&ready, 1, patience == Patience::for_ever ? -1 : some_seconds * 1000);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) fail_to_ask(vm_name, fmt::format("no word within {} s", some_seconds));
    // What follows the line belongs to somebody else.
    std::array<char, 4096> bytes{};
    const auto size = ::recv(reply.connection.get(), bytes.data(), bytes.size(), MSG_PEEK);
    if (size <= 0) fail_to_ask(vm_name, "it closed the connection");
    const std::string_view there(bytes.data(), static_cast<std::size_t>(size));
    const auto wanted = std::min(there.find('\n'), there.size() - 1) + 1;
    text += receive_with_descriptors(reply.connection.get(), wanted, reply.descriptors);
  }
  text.pop_back();
  return text;
}

/// Throws what the launcher answered instead of a result.
[[noreturn]] void throw_refusal(const json::object& answer) {
  const auto* list = answer.if_contains("problems");
  if (list == nullptr || !list->is_array()) {
    throw Error(text_at(answer, "error"), "", text_at(answer, "hint"));
  }
  std::vector<Problem> problems;
  for (const auto& value : list->as_array()) {
    const auto* problem = value.if_object();
    if (problem == nullptr) continue;
    const auto status = number_at(*problem, "status", static_cast<int>(ExitStatus::usage));
    problems.push_back({text_at(*problem, "message"), text_at(*problem, "origin"),
                        text_at(*problem, "hint"), static_cast<ExitStatus>(status)});
  }
  throw InvalidConfig(std::move(problems));
}

}  // namespace

ControlReply ask_launcher(const ControlAddress& address, json::object request, Patience patience) {
  ControlReply reply;
  reply.connection = connect_to_launcher(address);
  const auto name = text_at(request, "request");
  std::optional<ControlProof> proof;
  if (has_to_prove()) request["proof"] = proof.emplace(address.socket).name();
  request["version"] = control_version;
  send_all(reply.connection, json::serialize(request) + "\n", address.vm_name);
  boost::system::error_code error;
  const auto value = json::parse(read_line(address.vm_name, patience, reply), error);
  const auto* answer = error ? nullptr : value.if_object();
  if (answer == nullptr) fail_to_ask(address.vm_name, "its answer is not JSON");
  if (answer->contains("error")) throw_refusal(*answer);
  if (!answer->contains(name)) fail_to_ask(address.vm_name, "its answer has no result");
  reply.result = object_at(*answer, name);
  return reply;
}

}  // namespace vmr
