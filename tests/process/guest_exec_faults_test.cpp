// SPDX-License-Identifier: MIT
// What the launcher makes of faults of QEMU, the guest and its agent at an `exec`.
#include "support/exec_host.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace vmr::test {
namespace {

TEST_CASE("guest exec: QEMU that has no port left") {
  ExecHost host;
  const auto client = host.ask();
  CHECK(host.qmp_command().starts_with("getfd"));
  host.answer_qmp();
  CHECK(host.qmp_command().starts_with("chardev-add"));
  host.answer_qmp();
  CHECK(host.qmp_command().starts_with("device_add"));
  host.answer_qmp(R"("error":{"class":"GenericError","desc":"Out of virtio-serial ports"})");
  CHECK(read_line(client) ==
        R"({"error":"QEMU cannot add serial ports: Out of virtio-serial ports","version":1})");
  for (const std::string stream : {"out", "err"}) {
    CHECK(host.qmp_command().starts_with("getfd"));
    CHECK(host.qmp_command().starts_with("chardev-add"));
    CHECK(host.qmp_command().starts_with("device_add"));
  }
  // Where there is no device its chardev goes at once.
  CHECK(host.qmp_command() == R"(device_del {"id":"exec-1-in"})");
  host.answer_qmp(R"("error":{"class":"DeviceNotFound","desc":"Device 'exec-1-in' not found"})");
  CHECK(host.qmp_command() == R"(device_del {"id":"exec-1-out"})");
  CHECK(host.qmp_command() == R"(device_del {"id":"exec-1-err"})");
  CHECK(host.qmp_command() == R"(chardev-remove {"id":"exec-1-in"})");
  CHECK(host.left_files() == Lines{"control"});
}

TEST_CASE("guest exec: QEMU or a guest that says nothing is given up") {
  ExecHost host(std::chrono::milliseconds(50));
  const auto stuck = host.ask();
  CHECK(read_line(stuck) ==
        R"({"error":"QEMU does not add serial ports: no answer within 0.05 s","version":1})");
  for (int i = 0; i < 12; ++i) host.qmp_command();
}

TEST_CASE("guest exec: an agent that does not answer is given up") {
  ExecHost host(std::chrono::milliseconds(2000));
  const auto client = host.ask();
  const auto ports = host.add_ports(1);
  CHECK(host.agent_command().starts_with("guest-exec"));
  CHECK(read_line(client) ==
        R"({"error":"the guest's agent does not answer: no answer within 2 s",)"
        R"("hint":"restart qemu-guest-agent in the guest","version":1})");
  host.remove_ports(1);
  host.answer_agent(started);
}

TEST_CASE("guest exec: a guest that does not open its ports is given up") {
  ExecHost host(std::chrono::milliseconds(2000));
  const auto client = host.ask();
  const auto ports = host.add_ports(1);
  host.agent_command();
  host.answer_agent(started);
  CHECK(read_line(client) ==
        R"({"error":"the guest does not open the command's serial ports: no answer within 2 s",)"
        R"("hint":"the guest needs the driver virtio_console, and devices in /dev","version":1})");
  host.remove_ports(1);
}

TEST_CASE("guest exec: what the agent says when it starts nothing") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"Command guest-exec has been disabled: the command is not allowed",
       R"("hint":"allow guest-exec in the guest (in /etc/sysconfig/qemu-ga or )"
       R"(/etc/qemu/qemu-ga.conf) and restart its agent",)"},
      {"Command guest-exec has been disabled: the agent is in frozen state", ""},
      {"Failed to execute child process (No such file or directory)", ""}};
  for (const auto& [words, hint] : rows) {
    ExecHost host;
    const auto client = host.ask();
    const auto ports = host.add_ports(1);
    host.agent_command();
    host.answer_agent(fmt::format(R"("error":{{"class":"GenericError","desc":"{}"}})", words));
    CHECK(
        read_line(client) ==
        fmt::format(R"({{"error":"the guest's agent does not start commands: {}",{}"version":1}})",
                    words, hint));
    host.remove_ports(1);
  }
}

TEST_CASE("guest exec: an agent that goes") {
  ExecHost host;
  const auto client = host.ask();
  const auto ports = host.add_ports(1);
  host.agent_command();
  host.on_thread([&] { host.agent().set_present(false); });
  CHECK(read_line(client) ==
        R"({"error":"the guest's agent does not start commands: the guest agent is gone",)"
        R"("version":1})");
  host.remove_ports(1);
}

TEST_CASE("guest exec: the agent forgets what has ended") {
  ExecHost host;
  std::promise<bool> first;
  host.on_thread([&] {
    host.exec().run_script("one", [&](const auto& failure) { first.set_value(!failure); });
  });
  CHECK(host.agent_command() == R"(guest-exec {"path":"/bin/sh","input-data":"b25l"})");
  host.answer_agent(R"("return":{"pid":7})");
  CHECK(first.get_future().get());

  std::promise<bool> second;
  host.on_thread([&] {
    host.exec().run_script("two", [&](const auto& failure) { second.set_value(!failure); });
  });
  CHECK(host.agent_command() == R"(guest-exec {"path":"/bin/sh","input-data":"dHdv"})");
  host.answer_agent(R"("return":{"pid":8})");
  CHECK(second.get_future().get());
  CHECK(host.agent_command() == R"(guest-exec-status {"pid":7})");
  host.answer_agent(R"("return":{"exited":true,"exitcode":0})");

  host.on_thread([&] { host.exec().run_script("two", [](const auto&) {}); });
  host.agent_command();
  host.answer_agent(R"("return":{"pid":9})");
  CHECK(host.agent_command() == R"(guest-exec-status {"pid":8})");
  host.answer_agent(R"("return":{"exited":false})");

  host.on_thread([&] { host.exec().run_script("two", [](const auto&) {}); });
  host.agent_command();
  host.answer_agent(R"("return":{"pid":10})");
  CHECK(host.agent_command() == R"(guest-exec-status {"pid":8})");
  host.answer_agent(lives);
  CHECK(host.agent_command() == R"(guest-exec-status {"pid":9})");
}

}  // namespace
}  // namespace vmr::test
