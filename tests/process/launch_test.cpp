// SPDX-License-Identifier: MIT
// The whole launcher with fake programs: a machine that does what it should.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;

const Lines plain_log = {"[INFO] The machine runs (accelerator=tcg)",
                         "[INFO] The guest powered off"};

std::string last_words() {
  std::string words;
  for (int i = 1; i <= 20000; ++i) words += fmt::format("{}\n", i);
  return words + "the end\n";
}

Lines to_lines(const boost::json::value& array) {
  Lines lines;
  for (const auto& word : array.as_array()) lines.emplace_back(word.as_string());
  return lines;
}

/// Standard output into a new file at `path`.
StartDetails output_to(const std::string& path) {
  return {{}, [path] {
            ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDOUT_FILENO);
          }};
}

}  // namespace

TEST_CASE("launch: a guest that powers itself off ends with status 0") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "poweroff"}});
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == plain_log);
  CHECK(seen.output.empty());
  CHECK(host.starts_of("qemu") == 1);
}

TEST_CASE("launch: each share is told before boot and after the guest has mounted it") {
  const FakeHost host;
  const auto one = host / "one";
  const auto two = host / "two, with a comma";
  auto settings = join(FakeHost::virtiofs_share(1, one), FakeHost::virtiofs_share(2, two));
  settings = join(settings, {{"FILESYSTEM2_TARGET", "second"},
                             {"FAKE_QEMU", "report"},
                             {"FAKE_REPORT",
                              "1 ok /mnt/one\n"
                              "garbage\n7 ok /mnt/none\n"
                              "2 error mount: No such device\ndone\n"}});
  Launcher launcher(host.settings(settings));
  REQUIRE(launcher.wait_for_log("not mounted"));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  launcher.signal(SIGTERM);
  const auto seen = host.finish(launcher);
  CHECK(seen.status == 0);
  const Observed log = observe(seen);
  CHECK(log.log_with("Filesystem") ==
        Lines{"[INFO] Filesystem #1: " + one +
                  " -> guest tag 'one' (read-write, driver=virtiofs, "
                  "accessmode=passthrough, mount=/mnt/one)",
              "[INFO] Filesystem #2: " + two +
                  " -> guest tag 'second' (read-write, "
                  "driver=virtiofs, accessmode=passthrough, mount=/mnt/second)",
              "[INFO] Filesystem #1: mounted in the guest at /mnt/one",
              "[ERROR] Filesystem #2: not mounted in the guest at /mnt/second: mount: No such "
              "device (the guest's kernel has no virtiofs (Linux 5.4 and later do): use a newer "
              "guest, or FILESYSTEM2_DRIVER=9p)"});
  CHECK(log.log_with("garbage") == Lines{});
}

TEST_CASE("launch: what is started is what args prints") {
  const FakeHost host;
  auto settings = join(FakeHost::virtiofs_share(1, host / "one, two"),
                       FakeHost::virtiofs_share(3, host / "$(three) \"'%s"));
  settings = join(settings, {{"FAKE_QEMU", "poweroff"},
                             {"FILESYSTEM3_TARGET", "three"},
                             {"CMDLINE", "quiet a,b \"c\" $(d)"},
                             {"EXTRA_ARGS", "-global 'a.b=c d' -global ''"}});
  const auto printed = run_launcher(host.settings(settings), {"args", "--format=json"});
  REQUIRE(printed.status == 0);
  const auto plan = boost::json::parse(printed.output);
  CHECK(host.starts_of("qemu") == 0);

  CHECK(host.run(settings).status == 0);
  CHECK(host.argv_of("qemu") == to_lines(plan.at("qemu")));
  const auto& helpers = plan.at("helpers").as_array();
  REQUIRE(helpers.size() == 2);
  CHECK(helpers.at(0).at("name").as_string() == "virtiofsd-1");
  CHECK(host.argv_of("virtiofsd-1") == to_lines(helpers.at(0).at("argv")));
  CHECK(helpers.at(1).at("name").as_string() == "virtiofsd-3");
  CHECK(host.argv_of("virtiofsd-3") == to_lines(helpers.at(1).at("argv")));
}

TEST_CASE("launch: a program inherits its own descriptors only") {
  const FakeHost host;
  const int stray = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  const auto settings =
      join(FakeHost::virtiofs_share(1, host / "one"), FakeHost::virtiofs_share(2, host / "two"));
  CHECK(host.run(join(settings, {{"FAKE_QEMU", "poweroff"}})).status == 0);
  ::close(stray);

  const auto kinds = [&host](const std::string& name) {
    Lines kinds;
    for (const auto& line : host.descriptors_of(name))
      kinds.push_back(line.substr(0, line.find(':')));
    return kinds;
  };
  CHECK(kinds("qemu") == Lines{"0 /dev/null", "1 pipe", "2 pipe", "3 socket", "4 socket",
                               "5 socket", "6 socket", "7 socket", "8 socket"});
  CHECK(kinds("virtiofsd-1") == Lines{"0 /dev/null", "1 pipe", "2 pipe", "3 socket"});
  CHECK(kinds("virtiofsd-2") == Lines{"0 /dev/null", "1 pipe", "2 pipe", "3 socket"});
}

TEST_CASE("launch: QEMU and its helpers work elsewhere and find what was named relatively") {
  const FakeHost host;
  std::filesystem::create_directories(host / "here/one, two");
  std::filesystem::create_directories(host / "here/tmp");
  write_text(host / "here/a,b.img", "x");
  StartDetails details;
  details.before_exec = [&] { REQUIRE(::chdir((host / "here").c_str()) == 0); };
  const auto settings = join(FakeHost::virtiofs_share(1, "one, two"),
                             {{"FAKE_QEMU", "poweroff"},
                              {"TMPDIR", "tmp"},
                              {"EXTRA_ARGS", "-drive file=a,,b.img,format=raw,if=none"}});
  const auto finished = host.run(settings, details);
  CHECK(finished.status == 0);
  const auto here = host / "here";
  CHECK(host.place_of("qemu") == Lines{"/", "its own session", here + "/tmp"});
  CHECK(host.place_of("virtiofsd-1") == Lines{"/", "its own session", here + "/tmp"});
  const auto qemu = host.argv_of("qemu");
  const auto drive = "file=" + here + "/a,,b.img,format=raw,if=none";
  CHECK(std::count(qemu.begin(), qemu.end(), drive) == 1);
}

TEST_CASE("launch: QEMU stays in the user's folder for what only it can read") {
  const FakeHost host;
  std::filesystem::create_directories(host / "here");
  write_text(host / "here/vm.cfg", "");
  StartDetails details;
  details.before_exec = [&] { REQUIRE(::chdir((host / "here").c_str()) == 0); };
  const auto finished =
      host.run({{"FAKE_QEMU", "poweroff"}, {"EXTRA_ARGS", "-readconfig vm.cfg"}}, details);
  CHECK(finished.status == 0);
  CHECK(host.place_of("qemu").front() == host / "here");
  CHECK(observe(finished).log_with("QEMU works in") ==
        Lines{"[WARN] QEMU works in " + (host / "here") +
              ", since -readconfig may name files there; it also takes a firmware that it finds "
              "there for its own. With absolute paths alone start vm-runner in the folder /"});
}

TEST_CASE("launch: nothing is made that every user may write to, whatever the umask") {
  const FakeHost host;
  const auto source = host / "made";
  StartDetails details;
  details.before_exec = [] { ::umask(0); };
  const auto seen = host.run({{"FAKE_QEMU", "poweroff"},
                              {"FILESYSTEM_SOURCE", source},
                              {"FILESYSTEM_DRIVER", "virtiofs"},
                              {"FILESYSTEM_SANDBOX", "none"}},
                             details);
  CHECK(seen.status == 0);
  namespace fs = std::filesystem;
  CHECK((fs::status(source).permissions() & fs::perms::others_write) == fs::perms::none);
}

TEST_CASE("launch: what was taken over is refused what it does without") {
  for (const bool asked : {false, true}) {
    CAPTURE(asked);
    const FakeHost host;
    const auto settings = join(FakeHost::virtiofs_share(1, host / "one"),
                               {{"QEMU_USER", ""},
                                {"FILESYSTEM_PRIVILEGED_FILES", asked ? "1" : "0"},
                                {"LOG_VERBOSE", "1"},
                                {"FAKE_QEMU", "poweroff,hostile-calls"},
                                {"FAKE_VIRTIOFSD", "hostile-calls"}});
    const auto seen = host.run(settings);
    INFO(seen.log);
    CHECK(seen.status == 0);
    const auto let_through = [log = observe(seen)](const std::string& name) {
      Lines lines;
      for (const auto& line : log.log_with("[DEBUG] " + name + ": call ")) {
        const bool is_refused = line.ends_with(": Operation not permitted") ||
                                line.ends_with(": Function not implemented");
        if (!is_refused) lines.push_back(line.substr(line.find("call ") + 5));
      }
      return lines;
    };
    // Where nothing is refused there is no such file.
    const std::string none = ": No such file or directory";
    CHECK(let_through("qemu") == Lines{"socket IPv4: Success", "socket IPv6: Success",
                                       "pair of streams: Success", "chmod 1777" + none,
                                       "mknod whiteout" + none, "mknod fifo" + none,
                                       "open 0755" + none});
    const auto helper = let_through("virtiofsd-1");
    for (const auto* refused :
         {"socket UNIX", "pair of datagrams", "keyctl", "ptrace", "mount", "io_uring_setup"}) {
      CHECK(std::none_of(helper.begin(), helper.end(), [&](const std::string& line) {
        return line.starts_with(std::string(refused) + ":");
      }));
    }
    for (const auto* let : {"chmod 2755", "mknod whiteout", "open 0755"}) {
      CHECK(std::count(helper.begin(), helper.end(), let + none) == 1);
    }
    CHECK(std::count(helper.begin(), helper.end(), "chmod 4755" + none) == (asked ? 1 : 0));
  }
}

TEST_CASE("launch: all that the guest says comes out in order up to its last words") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "poweroff,echo-console,last-words"}});
  CHECK(seen.status == 0);
  CHECK((seen.output == "console: hello\n" + last_words()));
  CHECK(lines_of(seen.log) == plain_log);
}

TEST_CASE("launch: with NO_CONSOLE nothing of the guest is shown and it is not held up") {
  const FakeHost host;
  const auto seen =
      host.run({{"FAKE_QEMU", "poweroff,echo-console,last-words"}, {"NO_CONSOLE", "1"}});
  CHECK(seen.status == 0);
  CHECK(seen.output.empty());
  CHECK(lines_of(seen.log) == plain_log);
}

TEST_CASE("launch: standard output may be a file") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "poweroff,echo-console,last-words"}},
                             output_to(host / "console.txt"));
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == plain_log);
  CHECK((read_text(host / "console.txt") == "console: hello\n" + last_words()));
}

TEST_CASE("launch: standard output may be a device that cannot be waited for") {
  const FakeHost host;
  const auto seen =
      host.run({{"FAKE_QEMU", "poweroff,echo-console,last-words"}}, output_to("/dev/null"));
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == plain_log);
}

TEST_CASE("launch: a full disk under standard output does not end the guest") {
  const FakeHost host;
  const auto seen =
      host.run({{"FAKE_QEMU", "poweroff,echo-console,last-words"}}, output_to("/dev/full"));
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == plain_log);
}

TEST_CASE("launch: a reader of the console that goes away does not end the guest") {
  const FakeHost host;
  const StartDetails no_reader = {{}, [] {
                                    int ends[2];
                                    if (::pipe(ends) != 0) ::_exit(126);
                                    ::close(ends[0]);
                                    ::dup2(ends[1], STDOUT_FILENO);
                                    ::close(ends[1]);
                                  }};
  const auto seen = host.run({{"FAKE_QEMU", "poweroff,echo-console,last-words"}}, no_reader);
  CHECK(seen.status == 0);
  CHECK(lines_of(seen.log) == plain_log);
}

TEST_CASE("launch: closed standard streams are not given to other files") {
  const FakeHost host;
  Launcher launcher(host.settings({{"FAKE_QEMU", "echo-console"}}), {},
                    {{}, [] {
                       for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) ::close(fd);
                     }});
  REQUIRE(launcher.wait_for_log("The machine runs"));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    CHECK(fs::read_symlink(fmt::format("/proc/{}/fd/{}", launcher.pid(), fd)) == "/dev/null");
  }
  launcher.signal(SIGTERM);
  CHECK(host.finish(launcher).status == 0);
}

TEST_CASE("launch: without a standard error it runs as well") {
  const FakeHost host;
  const auto seen = host.run({{"FAKE_QEMU", "poweroff,echo-console,flood"}},
                             {{}, [] { ::close(STDERR_FILENO); }});
  CHECK(seen.status == 0);
  CHECK(seen.output == "console: hello\n");
}

TEST_CASE("launch: the guest's password is in no environment and on no command line") {
  const FakeHost host;
  Launcher launcher(host.settings({{"GUEST_PASSWORD", "open sesame"}}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  const auto qemu = launcher.child_pid("qemu-system-x86_64");
  const auto environment = read_text(fmt::format("/proc/{}/environ", qemu));
  CHECK(environment.find("FAKE_LOG_DIR=") != std::string::npos);
  CHECK(environment.find("sesame") == std::string::npos);
  CHECK(read_text(fmt::format("/proc/{}/cmdline", qemu)).find("sesame") == std::string::npos);
  launcher.signal(SIGTERM);
  CHECK(host.finish(launcher).status == 0);
}
