// SPDX-License-Identifier: MIT
// What the launcher tells QEMU and the agent for `exec`.
#include "support/exec_host.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace vmr::test {
namespace {

TEST_CASE("guest exec: the guest's first word is the answer and a client that goes is the end") {
  ExecHost host;
  auto client = host.ask();
  const auto ports = host.add_ports(1);
  CHECK(host.agent_command().starts_with(
      R"(guest-exec {"path":"/bin/sh","input-data":"cG9ydHM9b3JnLnZtLXJ1bm5lci5leGVjLjEK)"));
  host.answer_agent(started);
  write_line(ports.back(), "anything");
  const auto answer = read_line(client);
  CHECK(answer.starts_with(R"({"exec":{"token":"~)"));
  CHECK(answer.size() == std::string(R"({"exec":{"token":"~"},"version":1})").size() + 32);
  CHECK(host.left_files() == Lines{"control"});
  client.reset();
  host.remove_ports(1);
}

TEST_CASE("guest exec: a guest that has opened its ports closes them before they are removed") {
  ExecHost host;
  auto client = host.ask();
  auto ports = host.add_ports(1);
  host.agent_command();
  host.answer_agent(started);
  for (const std::string stream : {"in", "out", "err"}) {
    host.tell("VSERPORT_CHANGE", fmt::format(R"({{"id":"exec-1-{}","open":true}})", stream));
  }
  write_line(ports.back(), "anything");
  read_line(client);
  client.reset();
  // Another one is served as ever meanwhile.
  const auto other = host.ask();
  const auto other_ports = host.add_ports(2);
  for (const std::string stream : {"in", "out", "err"}) {
    host.tell("VSERPORT_CHANGE", fmt::format(R"({{"id":"exec-1-{}","open":false}})", stream));
  }
  host.remove_ports(1);
}

TEST_CASE("guest exec: ports that a guest keeps open are removed in the end") {
  ExecHost host(std::chrono::milliseconds(2000));
  auto client = host.ask();
  auto ports = host.add_ports(1);
  host.agent_command();
  host.answer_agent(started);
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-out","open":true})");
  write_line(ports.back(), "anything");
  read_line(client);
  client.reset();
  host.remove_ports(1);
}

TEST_CASE("guest exec: commands that are over make room for others") {
  ExecHost host;
  std::vector<std::vector<UniqueFd>> ports;
  for (int number = 1; number <= 9; ++number) {
    auto client = host.ask();
    ports.push_back(host.add_ports(number));
    while (!host.agent_command().starts_with("guest-exec ")) host.answer_agent(lives);
    host.answer_agent(started);
    host.tell("VSERPORT_CHANGE", fmt::format(R"({{"id":"exec-{}-out","open":true}})", number));
    write_line(ports.back().back(), "anything");
    CHECK(read_line(client).starts_with(R"({"exec":{"token")"));
  }
  const auto client = host.ask();
  for (const std::string stream : {"in", "out", "err"}) {
    CHECK(host.qmp_command() == "device_del {\"id\":\"exec-1-" + stream + "\"}");
    host.answer_qmp();
  }
  CHECK(host.add_ports(10).size() == 3);
}

TEST_CASE("guest exec: a client that goes early is the end too") {
  ExecHost host;
  auto client = host.ask();
  const auto ports = host.add_ports(1);
  host.agent_command();
  client.reset();
  host.remove_ports(1);
  host.answer_agent(started);
  // Nothing is done for it any more; the next one is served.
  client = host.ask();
  CHECK(host.add_ports(2).size() == 3);
}

TEST_CASE("guest exec: a port's number comes round last and never while it is in use") {
  ExecHost host;
  const auto first = host.ask();
  const auto its_ports = host.add_ports(1);
  for (int number = 2; number <= 9; ++number) {
    auto client = host.ask();
    const auto ports = host.add_ports(number);
    client.reset();
    host.remove_ports(number);
  }
  // Ten would have those of the first.
  const auto last = host.ask();
  CHECK(host.add_ports(11).size() == 3);
}

TEST_CASE("guest exec: a client is told when the guest lets go") {
  ExecHost host;
  const auto client = host.ask();
  const auto ports = host.add_ports(1);
  host.agent_command();
  host.answer_agent(started);
  write_line(ports.back(), "anything");
  read_line(client);
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-err","open":true})");
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-out","open":false})");
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-2-err","open":false})");
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-err","open":false})");
  CHECK(read_line(client) == R"({"exec":{"closed":true},"version":1})");
}

TEST_CASE("guest exec: a guest that lets go before it began") {
  ExecHost host;
  const auto client = host.ask();
  const auto ports = host.add_ports(1);
  // Of the port that had this number before.
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-err","open":false})");
  host.agent_command();
  host.answer_agent(started);
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-err","open":true})");
  host.tell("VSERPORT_CHANGE", R"({"id":"exec-1-err","open":false})");
  CHECK(read_line(client) ==
        R"({"error":"the command did not start: the guest rebooted, or its agent ended",)"
        R"("version":1})");
  host.remove_ports(1);
}

}  // namespace
}  // namespace vmr::test
