// SPDX-License-Identifier: MIT
#include "run/guest_exec.hpp"

#include "base/base64.hpp"
#include "base/unique_fd.hpp"
#include "host/probe.hpp"
#include "plan/exec_script.hpp"
#include "run/adopt_descriptor.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <set>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vmr {
namespace {

namespace json = boost::json;
using boost::asio::posix::stream_descriptor;

constexpr std::size_t most_remembered_pids = 16;

// QEMU numbers the ports of a machine from 1, and has 31. A number that was free a moment ago may
// not be so for the guest: what it writes to the port that it has not yet seen go would be the next
// command's. So those of a command come round last.
constexpr int first_port = 4;
constexpr int port_triples = 9;

/// What QEMU calls the port and its chardev.
std::string device_of(int number, std::string_view stream) {
  return fmt::format("exec-{}-{}", number, stream);
}

/// The port for the stream at `index` of `exec_streams`.
json::object port_of(int number, std::size_t index) {
  const auto stream = exec_streams.at(index);
  const auto id = device_of(number, stream);
  const auto triple = static_cast<std::size_t>(number % port_triples);
  return {{"driver", "virtserialport"},
          {"bus", "serial.0"},
          {"nr", first_port + exec_streams.size() * triple + index},
          {"chardev", id},
          {"id", id},
          {"name", exec_port(number, stream)}};
}

Error no_agent() {
  return {"the guest has no agent running, or is still booting", "",
          "install qemu-guest-agent in the guest; `vm-runner status --wait` waits for its boot"};
}

/// What an agent that started nothing says.
Error refusal(const std::string& reason) {
  const bool is_blocked = reason.find("disabled") != reason.npos &&  // and not for a moment only
                          reason.find("frozen") == reason.npos;
  return {"the guest's agent does not start commands", reason,
          is_blocked ? "allow guest-exec in the guest (in /etc/sysconfig/qemu-ga or "
                       "/etc/qemu/qemu-ga.conf) and restart its agent"
                     : ""};
}

std::string within(std::chrono::milliseconds patience) {
  return fmt::format("no answer within {:g} s", std::chrono::duration<double>(patience).count());
}

/// One command, from its request to the end of the connection.
struct Running {
  explicit Running(const boost::asio::any_io_executor& executor) : deadline(executor) {}

  std::shared_ptr<ControlRequest> request;
  std::string token;
  std::string script;
  std::size_t ports_made = 0;     ///< answers of QEMU, two a port
  std::vector<UniqueFd> sockets;  ///< of `exec_streams`, until the client has them
  std::optional<stream_descriptor> first_mark;
  boost::asio::steady_timer deadline;
  std::set<std::string> open_ports;  ///< by the guest
  bool is_answered = false;
  bool is_over = false;  ///< its client has gone
};

/// A script that the agent is to start.
struct Starting {
  Starting(const boost::asio::any_io_executor& executor, GuestExec::OnStarted on_started)
      : deadline(executor), done(std::move(on_started)) {}

  void finish(const std::optional<Error>& failure) {
    deadline.cancel();
    if (const auto once = std::exchange(done, nullptr)) once(failure);
  }

  boost::asio::steady_timer deadline;
  GuestExec::OnStarted done;
};

}  // namespace

struct GuestExec::State : std::enable_shared_from_this<State> {
  State(boost::asio::any_io_executor executor, Qmp& qmp, GuestAgent& agent, ExecLimits limits)
      : executor(std::move(executor)), qmp(qmp), agent(agent), limits(limits) {}

  /// `act` with this and the command `number`, where both are still there.
  template <typename Act>
  auto later(int number, Act act) {
    return [weak = weak_from_this(), number, act](const auto&... what) {
      const auto self = weak.lock();
      if (!self) return;
      const auto found = self->running.find(number);
      if (found != self->running.end()) act(*self, found->second, what...);
    };
  }

  void check(const std::string& words) const {
    if (words.empty()) throw Error("no command is given", "", "");
    check_exec_command(words);
    const auto count = static_cast<std::size_t>(std::count_if(
        running.begin(), running.end(), [](const auto& entry) { return !entry.second.is_over; }));
    if (count >= limits.commands) {
      throw Error(fmt::format("{} commands run in the guest already", count),
                  "each has three of QEMU's serial ports", "wait until one of them has ended");
    }
    if (!agent.is_present()) throw no_agent();
  }

  void start(const std::shared_ptr<ControlRequest>& request) {
    const auto words = text_at(request->body(), "command");
    check(words);
    make_room();
    const int number = last_number = next_number();
    auto& command = running.try_emplace(number, executor).first->second;
    command.request = request;
    command.token = "~" + random_digits();
    command.script = exec_script(number, command.token, words);
    request->on_gone(later(number, [number](State& self, Running&) { self.end(number); }));
    add_ports(number);
  }

  void make_room() {
    if (running.size() < port_triples) return;
    const auto over = std::find_if(running.begin(), running.end(),
                                   [](const auto& entry) { return entry.second.is_over; });
    if (over != running.end()) remove(over->first);
  }

  /// One whose ports nobody has.
  [[nodiscard]] int next_number() const {
    int number = last_number + 1;
    while (std::any_of(running.begin(), running.end(), [&](const auto& entry) {
      return entry.first % port_triples == number % port_triples;
    })) {
      ++number;
    }
    return number;
  }

  void add_ports(int number) {
    give_up_later(number, Error("QEMU does not add serial ports", within(limits.patience), ""));
    const auto on_answer = later(number, [number](State& self, Running&, const JsonAnswer& answer) {
      self.take_port(number, answer);
    });
    for (std::size_t i = 0; i < exec_streams.size(); ++i) {
      std::array<int, 2> ends{};
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return fail(number, Error("QEMU cannot add serial ports", std::strerror(errno), ""));
      }
      // A monitor that is closed has failed it already.
      const auto command = running.find(number);
      UniqueFd ours(ends[0]);
      UniqueFd theirs(ends[1]);
      if (command == running.end()) return;
      command->second.sockets.push_back(std::move(ours));
      qmp.add_chardev(device_of(number, exec_streams[i]), std::move(theirs), on_answer);
      qmp.execute("device_add", port_of(number, i), on_answer);
    }
  }

  void take_port(int number, const JsonAnswer& answer) {
    auto& command = running.at(number);
    const std::string message = "QEMU cannot add serial ports";
    if (!answer.ok()) return fail(number, Error(message, answer.error, ""));
    if (++command.ports_made < 2 * exec_streams.size()) return;
    command.deadline.cancel();
    run_script(command.script,
               later(number, [number](State& self, Running&, const std::optional<Error>& failure) {
                 if (failure) return self.fail(number, *failure);
                 self.await_first_mark(number);
               }));
  }

  /// It is left to the client to read.
  void await_first_mark(int number) {
    auto& command = running.at(number);
    give_up_later(
        number, Error("the guest does not open the command's serial ports", within(limits.patience),
                      "the guest needs the driver virtio_console, and devices in /dev"));
    try {
      UniqueFd mark(::fcntl(command.sockets.back().get(), F_DUPFD_CLOEXEC, 0));
      command.first_mark.emplace(adopt(executor, std::move(mark)));
    } catch (const Error& error) {
      return fail(number, error);
    }
    command.first_mark->async_wait(
        stream_descriptor::wait_read,
        later(number, [number](State& self, Running&, const boost::system::error_code& error) {
          if (!error) self.answer(number);
        }));
  }

  void answer(int number) {
    auto& command = running.at(number);
    command.deadline.cancel();
    command.is_answered = true;
    command.first_mark.reset();
    std::vector<int> descriptors;
    for (const auto& socket : command.sockets) descriptors.push_back(socket.get());
    command.request->answer({{"token", command.token}}, descriptors);
    command.sockets.clear();
  }

  void give_up_later(int number, Error error) {
    auto& deadline = running.at(number).deadline;
    deadline.expires_after(limits.patience);
    deadline.async_wait(later(
        number, [number, error = std::move(error)](State& self, Running& command,
                                                   const boost::system::error_code& cancelled) {
          if (!cancelled && !command.is_answered) self.fail(number, error);
        }));
  }

  /// Its client has gone, and the guest is to close its ports. To what it says of one that is
  /// removed before, QEMU has a warning.
  void end(int number) {
    auto& command = running.at(number);
    command.is_over = true;
    command.first_mark.reset();
    command.sockets.clear();
    if (command.open_ports.empty()) return remove(number);
    command.deadline.expires_after(limits.patience / 2);
    command.deadline.async_wait(
        later(number, [number](State& self, Running&, const boost::system::error_code& cancelled) {
          if (!cancelled) self.remove(number);
        }));
  }

  void fail(int number, const Error& error) {
    const auto request = running.at(number).request;
    remove(number);
    request->fail(error);
  }

  void remove(int number) {
    running.erase(number);
    for (const auto stream : exec_streams) {
      const auto id = device_of(number, stream);
      qmp.execute("device_del", {{"id", id}}, [weak = weak_from_this(), id](const auto& answer) {
        // Otherwise the chardev is in use until QEMU says that the device is gone.
        const auto self = weak.lock();
        if (self && !answer.ok()) self->remove_chardev(id);
      });
    }
  }

  void remove_chardev(const std::string& id) { qmp.execute("chardev-remove", {{"id", id}}); }

  void take_event(const std::string& name, const json::object& data) {
    if (name == "DEVICE_DELETED") {
      const auto id = text_at(data, "device");
      if (id.starts_with("exec-")) remove_chardev(id);
    } else if (name == "VSERPORT_CHANGE") {
      take_port_change(text_at(data, "id"), is_true(data, "open"));
    }
  }

  void take_port_change(const std::string& id, bool is_open) {
    const auto found = std::find_if(running.begin(), running.end(), [&](const auto& entry) {
      return id.starts_with(device_of(entry.first, ""));
    });
    if (found == running.end()) return;
    auto& [number, command] = *found;
    if (is_open) {
      command.open_ports.insert(id);
      return;
    }
    if (command.open_ports.erase(id) == 0 || !command.open_ports.empty()) return;
    if (command.is_over) return remove(number);
    if (command.is_answered) return command.request->say_more({{"closed", true}});
    fail(number, Error("the command did not start", "the guest rebooted, or its agent ended", ""));
  }

  void run_script(const std::string& script, OnStarted done) {
    if (!agent.is_present()) return done(no_agent());
    const auto starting = std::make_shared<Starting>(executor, std::move(done));
    starting->deadline.expires_after(limits.patience);
    starting->deadline.async_wait(
        [starting, patience = limits.patience](boost::system::error_code cancelled) {
          if (cancelled) return;
          starting->finish(Error("the guest's agent does not answer", within(patience),
                                 "restart qemu-guest-agent in the guest"));
        });
    // On standard input: a `pkill -f` in the guest is not to find its own words in our arguments.
    const json::object arguments = {{"path", "/bin/sh"}, {"input-data", base64(script)}};
    agent.execute(
        "guest-exec", arguments, [starting, weak = weak_from_this()](const JsonAnswer& answer) {
          const auto self = weak.lock();
          if (self && answer.ok()) self->remember(answer.result);
          starting->finish(answer.ok() ? std::nullopt : std::optional(refusal(answer.error)));
        });
  }

  /// The agent keeps what it knows of an ended process until it is asked: about those before.
  void remember(const json::value& started) {
    for (const auto pid : std::set(pids)) {
      agent.execute("guest-exec-status", {{"pid", pid}},
                    [weak = weak_from_this(), pid](const JsonAnswer& answer) {
                      const auto self = weak.lock();
                      const auto* result = answer.result.if_object();
                      const bool lives = result != nullptr && !is_true(*result, "exited");
                      if (self && !lives) self->pids.erase(pid);
                    });
    }
    const auto* result = started.if_object();
    if (result != nullptr) pids.insert(number_at(*result, "pid", 0));
    if (pids.size() > most_remembered_pids) pids.erase(pids.begin());
  }

  boost::asio::any_io_executor executor;
  Qmp& qmp;
  GuestAgent& agent;
  ExecLimits limits;
  std::map<int, Running> running;  ///< by number
  int last_number = 0;
  std::set<std::int64_t> pids;  ///< in the guest, of what was started
};

GuestExec::GuestExec(boost::asio::any_io_executor executor, Qmp& qmp, GuestAgent& agent,
                     ExecLimits limits)
    : state_(std::make_shared<State>(std::move(executor), qmp, agent, limits)) {}

void GuestExec::start(const std::shared_ptr<ControlRequest>& request) {
  state_->start(request);
}

void GuestExec::run_script(const std::string& script, OnStarted done) {
  state_->run_script(script, std::move(done));
}

void GuestExec::take_event(const std::string& name, const json::object& data) {
  state_->take_event(name, data);
}

}  // namespace vmr
