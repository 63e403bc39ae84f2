// SPDX-License-Identifier: MIT
// A result that cannot be written is no success.
#include "build_paths.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <fcntl.h>
#include <functional>
#include <unistd.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

const std::vector<Lines> that_print = {{"--version"},
                                       {"--help"},
                                       {"run", "--help"},
                                       {"config"},
                                       {"args"},
                                       {"doctor"},
                                       {"doctor", "--format=json"},
                                       {"import", SOURCE_FOLDER "/tests/domains/plain/domain.xml"},
                                       {"status"},
                                       {"status", "--format=json"},
                                       {"status", "--healthy"},
                                       {"status", "--security"},
                                       {"share", "list"},
                                       {"share", "list", "--format=json"}};

/// How each of them ends beside a VM when `make` has made its standard output; what it says last.
void check_each(const std::function<void()>& make, const std::string& last_words) {
  const FakeHost host;
  const auto settings =
      host.settings(join(FakeHost::virtiofs_share(1, host / "one"),
                         {{"FAKE_QEMU", "report"}, {"FAKE_REPORT", "1 ok /mnt/one\ndone\n"}}));
  Launcher launcher(settings);
  REQUIRE(launcher.wait_for_log("The machine runs"));
  for (const auto& arguments : that_print) {
    Launcher client(settings, arguments, {{}, make});
    const auto seen = client.finish();
    CAPTURE(fmt::format("{}", fmt::join(arguments, " ")));
    INFO(seen.log);
    CHECK(seen.status == 1);
    CHECK(seen.log.ends_with(last_words));
    CHECK((!last_words.empty() || seen.log.find("error") == std::string::npos));
  }
  launcher.signal(SIGTERM);
  CHECK(host.finish(launcher).status == 0);
}

void use_closed_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) ::_exit(99);
  ::close(ends[0]);
  ::dup2(ends[1], STDOUT_FILENO);
}

}  // namespace

TEST_CASE("output: a full disk is an error of every command that prints a result") {
  check_each([] { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); },
             "error: standard output cannot be written\n  cause: No space left on device\n");
}

TEST_CASE("output: a reader that has gone is a failure without a word") {
  check_each(use_closed_pipe, "");
  check_each(
      [] {
        std::signal(SIGPIPE, SIG_IGN);
        use_closed_pipe();
      },
      "");
}

TEST_CASE("output: without a standard output no result is printed") {
  check_each([] { ::close(STDOUT_FILENO); },
             "error: standard output cannot be written\n  cause: Bad file descriptor\n");
}

TEST_CASE("output: a pipe that somebody made non-blocking is waited for") {
  Pipe pipe;
  REQUIRE(::fcntl(pipe.writing.get(), F_SETFL, O_NONBLOCK) == 0);
  REQUIRE(::fcntl(pipe.writing.get(), F_SETPIPE_SZ, 4096) == 4096);
  Launcher client({}, {"--help"}, {{}, [&] { ::dup2(pipe.writing.get(), STDOUT_FILENO); }});
  pipe.writing.reset();
  const auto text = read_all(pipe.reading);
  CHECK(text.size() > 4096);
  CHECK(client.finish().status == 0);
}
