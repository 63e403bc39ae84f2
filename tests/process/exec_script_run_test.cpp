// SPDX-License-Identifier: MIT
// Runs the guest's script for a command in real shells, with sockets for its ports.
#include "base/shell_words.hpp"
#include "fakes/guest_shell.hpp"
#include "plan/exec_script.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <vector>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

using Shell = std::vector<std::string>;

const std::string token = "~0123456789abcdef0123456789abcdef";

/// What came over the ports, until the guest let go of them.
struct Seen {
  std::string out;
  std::string err;

  bool operator==(const Seen&) const = default;
};

/// A guest whose ports are these sockets.
class Guest {
 public:
  explicit Guest(Shell shell) : shell_(std::move(shell)) {
    for (std::size_t i = 0; i < 3; ++i) {
      std::array<int, 2> ends{};
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
      host_.at(i).reset(ends[0]);
      guest_.at(i).reset(ends[1]);
    }
    add_port("vport0p1", "org.qemu.guest_agent.0");
    add_port("vport1p1", "org.vm-runner.exec.11.in");
    add_port("vport1p12", "org.vm-runner.exec.1.err");
    add_port("vport2p3", "org.vm-runner.exec.1.out");
  }
  ~Guest() {
    if (pid_ > 0) ::kill(-pid_, SIGKILL);
    if (pid_ > 0) wait_for(pid_);
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  void add_port(const std::string& node, const std::string& name) const {
    fs::create_directories(folder_ / "dev");
    fs::create_directories(folder_ / "ports/" + node);
    write_text(folder_ / "ports/" + node + "/name", name + "\n");
    fs::create_symlink("/dev/null", folder_ / "dev/" + node);
  }

  /// Runs `command`, all of whose ports are there.
  void start(const std::vector<std::string>& command) {
    add_port("vport1p2", "org.vm-runner.exec.1.in");
    start_without_input_port(command);
  }

  void start_without_input_port(const std::vector<std::string>& command) {
    std::string words;
    for (const auto& word : command) words += " " + shell_quote_ascii(word);
    auto script = exec_script(1, token, words);
    REQUIRE(fake::move_into(script, folder_.path()));
    pid_ = fake::start_script(shell_, script, {guest_[0].get(), guest_[1].get(), guest_[2].get()});
    for (auto& end : guest_) end.reset();
  }

  void send_input(const std::string& text) {
    REQUIRE(::send(host_[0].get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  void end_input() { ::shutdown(host_[0].get(), SHUT_WR); }

  void send_signal(const std::string& name) {
    const auto line = name + "\n";
    REQUIRE(::send(host_[2].get(), line.data(), line.size(), MSG_NOSIGNAL) > 0);
  }

  /// Reads `err` up to and with `text`.
  void await_error(const std::string& text) {
    while (seen_.err.find(text) == seen_.err.npos) REQUIRE(read_some(host_[2], seen_.err));
  }

  /// Reads both to their ends; the script has ended then.
  Seen finish() {
    const auto end = token + "\n";
    while (!seen_.out.ends_with(end)) REQUIRE(read_some(host_[1], seen_.out));
    while (!seen_.err.ends_with(end)) REQUIRE(read_some(host_[2], seen_.err));
    for (auto& port : host_) port.reset();
    wait_for(std::exchange(pid_, -1));
    return seen_;
  }

  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }

  /// Its exit status.
  int wait() { return wait_for(std::exchange(pid_, -1)); }

  void hang_up() {
    for (auto& port : host_) port.reset();
  }

 private:
  static bool read_some(const UniqueFd& port, std::string& to) {
    pollfd ready{port.get(), POLLIN, 0};
    std::array<char, 65536> bytes{};
    if (::poll(&ready, 1, 30'000) != 1) return false;
    const auto size = ::read(port.get(), bytes.data(), bytes.size());
    if (size > 0) to.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  TemporaryFolder folder_;
  Shell shell_;
  std::array<UniqueFd, 3> host_;
  std::array<UniqueFd, 3> guest_;
  pid_t pid_ = -1;
  Seen seen_;
};

/// Runs `test` in each shell that a guest may have as /bin/sh.
template <typename Test>
void in_every_shell(const Test& test) {
  for (const auto& shell : {Shell{"dash"}, Shell{"busybox", "sh"}, Shell{"bash", "--posix"}}) {
    CAPTURE(shell.front());
    Guest guest(shell);
    test(guest);
  }
}

std::string mark(const std::string& word) {
  return token + word + "\n";
}

TEST_CASE("exec script: output and errors with their marks") {
  in_every_shell([](Guest& guest) {
    guest.start({"sh", "-c", "printf out; printf err >&2; exit 7"});
    guest.end_input();
    CHECK(guest.finish() ==
          Seen{"out" + mark("7") + mark(""), mark("-") + "err" + mark("7") + mark("")});
  });
}

TEST_CASE("exec script: input reaches the command and its end too") {
  in_every_shell([](Guest& guest) {
    guest.start({"cat"});
    guest.send_input(std::string("a\0b\n", 4));
    guest.send_input(token + "1\n");
    guest.end_input();
    CHECK(guest.finish().out == std::string("a\0b\n", 4) + token + "1\n" + mark("0") + mark(""));
  });
}

TEST_CASE("exec script: a command does not wait for input that it does not read") {
  in_every_shell([](Guest& guest) {
    guest.start({"true"});
    CHECK(guest.finish() == Seen{mark("0") + mark(""), mark("-") + mark("0") + mark("")});
  });
}

TEST_CASE("exec script: a signal is for the command and its children") {
  in_every_shell([](Guest& guest) {
    guest.start({"sh", "-c", "sleep 1000; echo no"});
    guest.await_error("-\n");
    guest.send_signal("TERM");
    CHECK(guest.finish() == Seen{mark("143") + mark(""), mark("-") + mark("143") + mark("")});
  });
}

TEST_CASE("exec script: a signal waits for the session of its command") {
  // This setsid is slow until who sends the signal has slept once.
  const TemporaryFolder bin;
  const auto go = bin / "go";
  REQUIRE(::mkfifo(go.c_str(), 0600) == 0);
  const auto add = [&](const std::string& name, const std::string& line) {
    write_text(bin / name, "#!/bin/sh\n" + line + "\n");
    REQUIRE(::chmod((bin / name).c_str(), 0700) == 0);
  };
  add("setsid", "read word <" + go + "; exec /usr/bin/setsid \"$@\"");
  add("sleep", "echo go 1<>" + go);
  for (const auto& shell : {Shell{"dash"}, Shell{"bash", "--posix"}}) {
    CAPTURE(shell.front());
    Shell words = {"env", "PATH=" + bin.path() + ":" + std::getenv("PATH")};
    words.insert(words.end(), shell.begin(), shell.end());
    Guest guest(words);
    guest.start({"sh", "-c", "cat <&0; echo no"});
    guest.await_error("-\n");
    guest.send_signal("TERM");
    CHECK(guest.finish() == Seen{mark("143") + mark(""), mark("-") + mark("143") + mark("")});
  }
}

TEST_CASE("exec script: SIGINT is not ignored") {
  in_every_shell([](Guest& guest) {
    guest.start({"sh", "-c", "trap 'kill $!; exit 3' INT; sleep 1000 & echo ready >&2; wait"});
    guest.await_error("ready\n");
    guest.send_signal("INT");
    CHECK(guest.finish().out == mark("3") + mark(""));
  });
}

TEST_CASE("exec script: the end of the host's side hangs up") {
  in_every_shell([](Guest& guest) {
    const auto fifo = guest / "fifo";
    guest.start({"sh", "-c", "mkfifo " + fifo + "; echo ready >&2; exec sleep 1000 >" + fifo});
    guest.await_error("ready\n");
    const UniqueFd reading(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
    guest.hang_up();
    CHECK(reaches_end(reading));
    guest.wait();
  });
}

TEST_CASE("exec script: what is left running is not hung up") {
  in_every_shell([](Guest& guest) {
    const auto fifo = guest / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    REQUIRE(::mkfifo((fifo + ".out").c_str(), 0600) == 0);
    // Its outputs are its own, so that the command ends at once.
    guest.start({"sh", "-c",
                 "(read line <" + fifo + "; echo $line >" + fifo + ".out) " +
                     ">/dev/null 2>&1 </dev/null &"});
    CHECK(guest.finish().out == mark("0") + mark(""));
    write_text(fifo, "alive\n");
    CHECK(read_text(fifo + ".out") == "alive\n");
  });
}

TEST_CASE("exec script: a command has a home and nothing of the script but its streams") {
  in_every_shell([](Guest& guest) {
    guest.start({"sh", "-c", "echo ${LC_ALL-unset} ${token-unset}; echo /proc/self/fd/*"});
    guest.end_input();
    const auto out = guest.finish().out;
    // The last is that of the folder itself.
    CHECK(out.substr(0, out.find(token)) ==
          "unset unset\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n");
  });
}

TEST_CASE("exec script: it waits for ports that appear later") {
  Guest guest({"dash"});
  guest.start_without_input_port({"echo", "there"});
  guest.add_port("vport1p2", "org.vm-runner.exec.1.in");
  CHECK(guest.finish().out == "there\n" + mark("0") + mark(""));
}

TEST_CASE("exec script: it gives up without ports") {
  Guest guest({"dash"});
  guest.start_without_input_port({"touch", guest / "touched"});
  CHECK(guest.wait() == 1);
  CHECK_FALSE(fs::exists(guest / "touched"));
}

TEST_CASE("exec script: shellcheck finds nothing") {
  if (std::system("command -v shellcheck >/dev/null") != 0) {
    MESSAGE("SKIPPED: shellcheck is not installed");
    return;
  }
  const TemporaryFolder folder;
  write_text(folder / "script", exec_script(1, token, "echo 'a b'"));
  CHECK(std::system(("shellcheck -s sh " + (folder / "script")).c_str()) == 0);
}

}  // namespace
}  // namespace vmr::test
