// SPDX-License-Identifier: MIT
// What the launcher tells QEMU and the agent for `exec`, and what it makes of their faults.
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
namespace {

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

/// The next line on `socket`, for ten seconds at most.
std::string read_line(const UniqueFd& socket) {
  std::string line;
  for (char c = 0; c != '\n';) {
    pollfd ready{socket.get(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) != 1) return line + " (nothing more)";
    if (::read(socket.get(), &c, 1) != 1) return line + " (the end)";
    line += c;
  }
  line.pop_back();
  return line;
}

void write_line(const UniqueFd& socket, const std::string& line) {
  REQUIRE(::send(socket.get(), (line + "\n").data(), line.size() + 1, MSG_NOSIGNAL) ==
          static_cast<ssize_t>(line.size() + 1));
}

/// A launcher whose QEMU, agent and clients are the test. Everything of it is on a thread of its
/// own.
class Host {
 public:
  explicit Host(std::chrono::milliseconds patience = std::chrono::seconds(30))
      : qmp_(context_.get_executor(), std::move(qmp_pair_.theirs),
             {[] {}, [this](const auto& name, const auto& data) { exec_.take_event(name, data); },
              [] {}}),
        agent_(context_.get_executor(), std::move(agent_pair_.theirs)),
        exec_(context_.get_executor(), qmp_, agent_, {folder_.path(), std::nullopt}, {4, patience}),
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
  ~Host() {
    on_thread([this] {
      control_.reset();
      context_.stop();
    });
    thread_.join();
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

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
      const auto path = folder_ / fmt::format("exec-{}.sock", number);
      CHECK(qmp_command() ==
            fmt::format(R"(chardev-add {{"id":"{}","backend":{{"type":"socket","data":{{"addr":)"
                        R"({{"type":"unix","data":{{"path":"{}"}}}},"server":false}}}}}})",
                        id, path));
      ports.push_back(connect_to(path));
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
  static std::string take(const UniqueFd& socket, std::int64_t& id) {
    const auto line = read_line(socket);
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
  std::thread thread_;
};

const std::string started = R"("return":{"pid":7})";
const std::string lives = R"("return":{"exited":false})";

TEST_CASE("guest exec: the guest's first word is the answer and a client that goes is the end") {
  Host host;
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
  Host host;
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
  Host host(std::chrono::milliseconds(2000));
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
  Host host;
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
  Host host;
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
  Host host;
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
  Host host;
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
  Host host;
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

TEST_CASE("guest exec: QEMU that has no port left") {
  Host host;
  const auto client = host.ask();
  CHECK(host.qmp_command().starts_with("chardev-add"));
  host.answer_qmp();
  CHECK(host.qmp_command().starts_with("device_add"));
  host.answer_qmp(R"("error":{"class":"GenericError","desc":"Out of virtio-serial ports"})");
  CHECK(read_line(client) ==
        R"({"error":"QEMU cannot add serial ports: Out of virtio-serial ports","version":1})");
  for (const std::string stream : {"out", "err"}) {
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
  Host host(std::chrono::milliseconds(50));
  const auto stuck = host.ask();
  CHECK(read_line(stuck) ==
        R"({"error":"QEMU does not add serial ports: no answer within 0.05 s","version":1})");
  for (int i = 0; i < 9; ++i) host.qmp_command();
}

TEST_CASE("guest exec: an agent that does not answer is given up") {
  Host host(std::chrono::milliseconds(2000));
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
  Host host(std::chrono::milliseconds(2000));
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
    Host host;
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
  Host host;
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
  Host host;
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
