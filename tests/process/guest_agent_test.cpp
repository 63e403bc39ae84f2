// SPDX-License-Identifier: MIT
// What the launcher sends to a guest agent, and when.
#include "run/guest_agent.hpp"

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "run/log_quota.hpp"
#include "support/processes.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

using Lines = std::vector<std::string>;

/// An agent that is the test.
class Agent {
 public:
  Agent() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    socket_.reset(ends[0]);
    agent_.emplace(context_.get_executor(), UniqueFd(ends[1]));
    agent_->set_present(true);
  }

  GuestAgent& operator*() { return *agent_; }
  GuestAgent* operator->() { return &*agent_; }

  /// Sends a command; its answer is noted down in `answers` with its name.
  void execute(const std::string& name) {
    agent_->execute(name, {}, [this, name](const JsonAnswer& answer) {
      answers.push_back(name + ": " + (answer.ok() ? "ok" : answer.error));
    });
  }

  /// All that was sent since the last time.
  std::string sent() {
    std::array<char, 4096> bytes{};
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return {bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  /// Answers command `id`.
  void answer(int id) { say("{\"return\":{},\"id\":" + std::to_string(id) + "}"); }

  /// Says `line`, whose newlines become blanks.
  void say(std::string line) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    line += "\n";
    REQUIRE(::send(socket_.get(), line.data(), line.size(), 0) ==
            static_cast<ssize_t>(line.size()));
    context_.restart();
    context_.run_one();
    context_.poll();  // a long line comes in parts
  }

  Lines answers;

 private:
  boost::asio::io_context context_{1};
  UniqueFd socket_;
  std::optional<GuestAgent> agent_;
};

TEST_CASE("guest agent: a command is sent when the one before it is answered") {
  Agent agent;
  for (const auto* name : {"one", "two", "three"}) agent.execute(name);
  CHECK(agent.sent() == "{\"execute\":\"one\",\"id\":1}\n");
  agent.answer(1);
  CHECK(agent.sent() == "{\"execute\":\"two\",\"id\":2}\n");
  // Not to this one.
  agent.answer(7);
  CHECK(agent.sent().empty());
  agent.answer(2);
  CHECK(agent.sent() == "{\"execute\":\"three\",\"id\":3}\n");
  agent.answer(3);
  CHECK(agent.answers == Lines{"one: ok", "two: ok", "three: ok"});
}

TEST_CASE("guest agent: those that wait are told when it goes") {
  Agent agent;
  for (const auto* name : {"one", "two"}) agent.execute(name);
  agent->set_present(false);
  agent.execute("three");
  CHECK(agent.answers == Lines{"one: the guest agent is gone", "two: the guest agent is gone",
                               "three: no guest agent is running"});
  agent.sent();
  agent->set_present(true);
  agent.execute("four");
  CHECK(agent.sent() == "{\"execute\":\"four\",\"id\":2}\n");
}

TEST_CASE("guest agent: a shutdown waits for nobody and nobody for it") {
  Agent agent;
  agent.execute("one");
  agent->shut_down();
  CHECK(agent.sent() ==
        "{\"execute\":\"one\",\"id\":1}\n"
        "{\"execute\":\"guest-shutdown\",\"id\":2,\"arguments\":{\"mode\":\"powerdown\"}}\n");
  agent.execute("two");
  agent.answer(1);
  CHECK(agent.sent() == "{\"execute\":\"two\",\"id\":3}\n");
}

TEST_CASE("guest agent: one that hangs is sent no more than so much") {
  Agent agent;
  for (int i = 0; i < 65; ++i) agent.execute("x");
  CHECK(agent.answers.empty());
  agent.execute("last");
  CHECK(agent.answers == Lines{"last: it does not answer others"});
}

/// The lines of the debug log while `action` runs.
std::string debug_log_of(const std::function<void()>& action) {
  set_log_level(LogLevel::debug);
  auto log = test::standard_error_of(action);
  set_log_level(LogLevel::info);
  return log;
}

TEST_CASE("guest agent: the debug log has both sides, and not what is run in the guest") {
  Agent agent;
  CHECK(debug_log_of([&] {
          agent->execute("guest-exec",
                         {{"path", "/bin/sh"},
                          {"arg", {"-c", "s3cr3t"}},
                          {"env", {"A=s3cr3t"}},
                          {"input-data", "czNjcjN0"}},
                         [](const JsonAnswer&) {});
        }) ==
        "[DEBUG] agent > {\"execute\":\"guest-exec\",\"id\":1,\"arguments\":{\"path\":\"/bin/sh\","
        "\"arg\":\"…\",\"env\":\"…\",\"input-data\":\"…\"}}\n");
  CHECK(agent.sent().find("czNjcjN0") != std::string::npos);
  CHECK(debug_log_of([&] {
          agent.say(R"({"return": {"exited": true, "exitcode": 0, "out-data": "czNjcjN0",
                        "more": [{"err-data": "czNjcjN0"}]}, "id": 1})");
        }) ==
        "[DEBUG] agent < {\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\"…\",\"more\":"
        "[{\"err-data\":\"…\"}]},\"id\":1}\n");
}

TEST_CASE("guest agent: what is long or no message is not logged in full") {
  Agent agent;
  CHECK(debug_log_of([&] { agent.say("s3cr3t {"); }) == "[DEBUG] agent < (8 bytes, no message)\n");
  const auto line = debug_log_of([&] { agent.say("{\"x\":\"" + std::string(5000, 'y') + "\"}"); });
  CHECK(line == "[DEBUG] agent < {\"x\":\"" + std::string(1994, 'y') + "… (5008 bytes)\n");
  // No character is cut in two.
  std::string umlauts;
  for (int i = 0; i < 2000; ++i) umlauts += "ü";
  CHECK(is_utf8(debug_log_of([&] { agent.say("{\"x\":\"" + umlauts + "\"}"); })));
  CHECK(is_utf8(debug_log_of([&] { agent.say("{\"xy\":\"" + umlauts + "\"}"); })));
}

TEST_CASE("guest agent: of one that talks without end only so much is logged") {
  Agent agent;
  const auto log = debug_log_of([&] {
    for (int i = 0; i < 400; ++i) agent.say("{}");
  });
  const auto lines = static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n'));
  CHECK(lines >= LogQuota::burst);
  CHECK(lines < LogQuota::burst + 100);
}

TEST_CASE("guest agent: a message of more than 64 KiB is none") {
  Agent agent;
  agent.execute("one");
  agent.say(R"({"id": 1, "return": ")" + std::string(64 * 1024, 'x') + "\"}");
  CHECK(agent.answers.empty());
  agent.answer(1);
  CHECK(agent.answers == Lines{"one: ok"});
}

TEST_CASE("guest agent: of the commands that one never answers the oldest are given up") {
  boost::asio::io_context context;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const UniqueFd peer(ends[0]);
  JsonSession session(context.get_executor(), UniqueFd(ends[1]), "x", 100, {}, {});
  Lines answers;
  for (int i = 0; i < 300; ++i) {
    session.execute("x", {}, [&, i](const JsonAnswer& answer) {
      answers.push_back(std::to_string(i) + ": " + answer.error);
    });
    std::array<char, 4096> read_all{};
    REQUIRE(::read(peer.get(), read_all.data(), read_all.size()) > 0);
  }
  REQUIRE(answers.size() == 300 - 256);
  CHECK(answers.front() == "0: it does not answer");
  CHECK(answers.back() == "43: it does not answer");
}

TEST_CASE("guest agent: a command that was sent in part is not joined to the next") {
  boost::asio::io_context context;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const UniqueFd peer(ends[0]);
  const int little = 4096;
  REQUIRE(::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little) == 0);
  JsonSession session(context.get_executor(), UniqueFd(ends[1]), "x", 100, {}, {});
  const std::string big(100'000, 'x');
  for (int i = 0; i < 3; ++i) session.execute("go", {{"big", big}}, {});
  session.execute("end", {}, {});
  std::string got;
  std::array<char, 65536> bytes{};
  while (!got.ends_with("{\"execute\":\"end\",\"id\":4}\n")) {
    const auto size = ::recv(peer.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size > 0) got.append(bytes.data(), static_cast<std::size_t>(size));
    if (size < 0) REQUIRE(context.run_one() == 1);
  }
  std::string expected;
  for (int i = 1; i <= 3; ++i) {
    expected += "{\"execute\":\"go\",\"id\":" + std::to_string(i) + ",\"arguments\":{\"big\":\"" +
                big + "\"}}\n";
  }
  CHECK((got == expected + "{\"execute\":\"end\",\"id\":4}\n"));
}

TEST_CASE("guest agent: nothing waits for one that never reads") {
  Agent agent;
  for (int i = 0; i < 100'000; ++i) agent->shut_down();
  agent.execute("one");
  CHECK(agent.answers == Lines{"one: the command could not be sent"});
}

}  // namespace
}  // namespace vmr
