// SPDX-License-Identifier: MIT
// A launcher that serves `exec`, whose QEMU, agent and clients are the test.
#pragma once

#include "host/pass_descriptors.hpp"
#include "run/guest_exec.hpp"
#include "run/runtime_folder.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <future>
#include <poll.h>
#include <sys/socket.h>
#include <thread>

namespace vmr::test {

namespace json = boost::json;
using Lines = std::vector<std::string>;

struct SocketPair {
  SocketPair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  UniqueFd ours;
  UniqueFd theirs;
};

/// The next line on `socket`, for ten seconds at most; what comes with it is `received`.
inline std::string read_line(const UniqueFd& socket, std::vector<UniqueFd>& received) {
  std::string line;
  while (!line.ends_with('\n')) {
    pollfd ready{socket.get(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) != 1) return line + " (nothing more)";
    const auto byte = receive_with_descriptors(socket.get(), 1, received);
    if (byte.empty()) return line + " (the end)";
    line += byte;
  }
  line.pop_back();
  return line;
}

inline std::string read_line(const UniqueFd& socket) {
  std::vector<UniqueFd> received;
  return read_line(socket, received);
}

inline void write_line(const UniqueFd& socket, const std::string& line) {
  REQUIRE(::send(socket.get(), (line + "\n").data(), line.size() + 1, MSG_NOSIGNAL) ==
          static_cast<ssize_t>(line.size() + 1));
}

/// A launcher whose QEMU, agent and clients are the test. Everything of it is on a thread of its
/// own.
class ExecHost {
 public:
  explicit ExecHost(std::chrono::milliseconds patience = std::chrono::seconds(30))
      : qmp_(context_.get_executor(), std::move(qmp_pair_.theirs),
             {[] {}, [this](const auto& name, const auto& data) { exec_.take_event(name, data); },
              [] {}}),
        agent_(context_.get_executor(), std::move(agent_pair_.theirs)),
        exec_(context_.get_executor(), qmp_, agent_, {4, patience}),
        control_(std::in_place, context_.get_executor(), folder_ / "control",
                 [this](const auto& request) {
                   // As the session does.
                   try {
                     exec_.start(request);
                   } catch (const Error& error) {
                     request->fail(error);
                   }
                 }),
        thread_([this] { context_.run(); }) {
    on_thread([this] { agent_.set_present(true); });
  }
  ~ExecHost() {
    on_thread([this] {
      control_.reset();
      context_.stop();
    });
    thread_.join();
  }
  ExecHost(const ExecHost&) = delete;
  ExecHost& operator=(const ExecHost&) = delete;

  /// Does it where everything is done, and waits for it.
  template <typename Act>
  void on_thread(Act act) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

  /// The connection of a client that has asked for "true".
  [[nodiscard]] UniqueFd ask() const {
    auto client = connect_to(folder_ / "control");
    write_line(client, R"({"version":1,"request":"exec","command":"true"})");
    return client;
  }

  /// The next command to QEMU: its name and arguments.
  std::string qmp_command() { return take(qmp(), last_qmp_id_); }
  /// The same for the agent.
  std::string agent_command() { return take(agent_pair_.ours, last_agent_id_); }

  void answer_qmp(const std::string& reply = R"("return":{})") {
    write_line(qmp(), fmt::format("{{{},\"id\":{}}}", reply, last_qmp_id_));
  }
  void answer_agent(const std::string& reply) {
    write_line(agent_pair_.ours, fmt::format("{{{},\"id\":{}}}", reply, last_agent_id_));
  }
  void tell(const std::string& event, const std::string& data) {
    write_line(qmp(), fmt::format(R"({{"event":"{}","data":{}}})", event, data));
  }

  /// Does what QEMU does for the ports of command `number`; its ends of them.
  std::vector<UniqueFd> add_ports(int number) {
    std::vector<UniqueFd> ports;
    for (const std::string stream : {"in", "out", "err"}) {
      const auto port = 4 + static_cast<std::size_t>(number) % 9 * 3 + ports.size();
      const auto id = fmt::format("exec-{}-{}", number, stream);
      CHECK(qmp_command() == fmt::format(R"(getfd {{"fdname":"{}"}})", id));
      answer_qmp();
      CHECK(qmp_command() ==
            fmt::format(R"(chardev-add {{"id":"{}","backend":{{"type":"socket","data":{{"addr":)"
                        R"({{"type":"fd","data":{{"str":"{}"}}}},"server":false}}}}}})",
                        id, id));
      REQUIRE(!received_.empty());
      ports.push_back(std::move(received_.front()));
      received_.erase(received_.begin());
      answer_qmp();
      CHECK(qmp_command() ==
            fmt::format(R"(device_add {{"driver":"virtserialport","bus":"serial.0","nr":{},)"
                        R"("chardev":"{}","id":"{}","name":"org.vm-runner.exec.{}.{}"}})",
                        port, id, id, number, stream));
      answer_qmp();
    }
    return ports;
  }

  /// Checks that the ports of `number` are removed, and says that they are.
  void remove_ports(int number) {
    const Lines streams = {"in", "out", "err"};
    for (const auto& stream : streams) {
      CHECK(qmp_command() == fmt::format(R"(device_del {{"id":"exec-{}-{}"}})", number, stream));
      answer_qmp();
    }
    for (const auto& stream : streams) {
      const auto id = fmt::format("exec-{}-{}", number, stream);
      tell("DEVICE_DELETED", fmt::format(R"({{"device":"{}","path":"/x"}})", id));
      CHECK(qmp_command() == fmt::format(R"(chardev-remove {{"id":"{}"}})", id));
      answer_qmp();
    }
    tell("DEVICE_DELETED", R"({"path":"/x"})");
    tell("DEVICE_DELETED", R"({"device":"share-1"})");
    CHECK(left_files() == Lines{"control"});
  }

  [[nodiscard]] Lines left_files() const {
    Lines left;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      left.push_back(entry.path().filename().string());
    }
    return left;
  }

  [[nodiscard]] const UniqueFd& qmp() const { return qmp_pair_.ours; }
  GuestExec& exec() { return exec_; }
  GuestAgent& agent() { return agent_; }

 private:
  std::string take(const UniqueFd& socket, std::int64_t& id) {
    const auto line = read_line(socket, received_);
    boost::system::error_code error;
    const auto value = json::parse(line, error);
    if (error) return line;
    const auto& message = value.as_object();
    id = message.at("id").as_int64();
    return fmt::format("{} {}", std::string(message.at("execute").as_string()),
                       json::serialize(message.at("arguments")));
  }

  TemporaryFolder folder_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  SocketPair qmp_pair_;
  SocketPair agent_pair_;
  Qmp qmp_;
  GuestAgent agent_;
  GuestExec exec_;
  std::optional<ControlServer> control_;
  std::int64_t last_qmp_id_ = 0;
  std::int64_t last_agent_id_ = 0;
  std::vector<UniqueFd> received_;  ///< over the monitor
  std::thread thread_;
};

inline const std::string started = R"("return":{"pid":7})";
inline const std::string lives = R"("return":{"exited":false})";

}  // namespace vmr::test
