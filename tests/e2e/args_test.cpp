// SPDX-License-Identifier: MIT
// What `args` prints is what `run` starts.
#include "base/printable.hpp"
#include "build_paths.hpp"
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

namespace json = boost::json;
using Lines = std::vector<std::string>;
using Processes = std::multimap<std::string, Lines>;  ///< by the name of the program

constexpr const char* hostile_tag = "a,b 'c' \"$(d)\" %n \\ ü";

/// Two shares of each kind with names that are hard to quote.
Launcher::Variables settings(const TemporaryFolder& host) {
  // A name that looks like a mistake is not made.
  std::filesystem::create_directory(host / "9p 'x'\n\"$y\"");
  return join(
      join(tiny_settings(),
           {{"GUEST_NAME", "args-test"}, {"EXTRA_ARGS", "-fw_cfg 'name=opt/x,string=a b'"}}),
      join(join(share(1, {{"SOURCE", host / "virtio,fs"}}),
                share(2, {{"SOURCE", host / "9p 'x'\n\"$y\""},
                          {"TARGET", hostile_tag},
                          {"DRIVER", "9p"},
                          {"ACCESSMODE", "mapped"}})),
           join(share(3, {{"SOURCE", host / "third"}, {"TARGET", "x\\,y%s"}}),
                share(5, {{"SOURCE", host / "fifth"}, {"DRIVER", "9p"}, {"MOUNT", "/srv/f f"}}))));
}

Lines words_of(const json::value& array) {
  Lines words;
  for (const auto& word : array.as_array()) words.emplace_back(word.as_string());
  return words;
}

std::string program_of(const Lines& argv) {
  return std::filesystem::path(argv.front()).filename().string();
}

Processes processes_of(const json::value& printed) {
  Processes processes;
  const auto add = [&](const Lines& argv) { processes.emplace(program_of(argv), argv); };
  for (const auto& helper : printed.at("helpers").as_array()) add(words_of(helper.at("argv")));
  add(words_of(printed.at("qemu")));
  return processes;
}

/// What `--format=lines` shows of the same processes: a heading each, then an argument a line.
std::string lines_for(const json::value& printed) {
  std::string text;
  const auto add = [&](std::string_view name, const json::value& argv) {
    text += fmt::format("# {}\n", name);
    for (const auto& word : words_of(argv)) text += vmr::on_one_line(word) + "\n";
  };
  for (const auto& helper : printed.at("helpers").as_array()) {
    add(std::string(helper.at("name").as_string()), helper.at("argv"));
  }
  add("qemu", printed.at("qemu"));
  return text;
}

/// The folder of the vm-runner under test first, since the script calls it by its name.
std::string path_variable() {
  return std::filesystem::path(VM_RUNNER).parent_path().string() + ":" + std::getenv("PATH");
}

}  // namespace

TEST_CASE("args prints the very command lines of the processes of a run") {
  const TemporaryFolder host;
  const auto variables = settings(host);
  Launcher running(join(variables, {{"CMDLINE", "tiny.stay"}}));
  REQUIRE(running.wait_for_output("TINY: ready"));

  const auto again =
      join(variables, {{"CMDLINE", "tiny.stay"}, {"XDG_RUNTIME_DIR", running.runtime_folder()}});
  const auto as_json = run_launcher(again, {"args", "--format=json"});
  CHECK(as_json.status == 0);
  // Only which sandbox virtiofsd gets, which depends on this machine.
  CHECK(as_json.log.starts_with("[INFO] virtiofsd runs in its sandbox "));
  CHECK(lines_of(as_json.log).size() == 1);
  const auto printed = json::parse(as_json.output);
  CHECK(processes_of(printed) == running.children());
  CHECK(processes_of(printed).size() == 3);

  const auto as_lines = run_launcher(again, {"args", "--format=lines"});
  CHECK(as_lines.status == 0);
  CHECK(as_lines.output == lines_for(printed));

  running.signal(SIGTERM);
  CHECK(running.finish().status == 0);
}

TEST_CASE("the script that args prints runs the machine with its shares") {
  const TemporaryFolder host;
  const TextFile user_data(
      guest_script(fmt::format("echo first > '/mnt/virtio,fs/file'\n"
                               "echo second > /mnt/'a,b '\\''c'\\'' \"$(d)\" %n \\ ü'/file\n"
                               "echo third > '/mnt/x\\,y%s/file'\n"
                               "echo fifth > '/srv/f f/file'\n")));
  const TemporaryFolder runtime;
  const auto variables = join(settings(host), {{"CLOUD_INIT_USER_DATA", user_data.path()},
                                               {"XDG_RUNTIME_DIR", runtime.path()},
                                               {"XDG_CONFIG_HOME", runtime.path()}});
  const auto script = run_launcher(variables, {"args", "--explain"});
  CHECK(script.status == 0);
  CHECK(script.output.find("\n  # share #2: ") != std::string::npos);
  const TextFile file(script.output);

  // Nothing but PATH: the script holds all the settings.
  const auto run = vmr::capture(
      {vmr::find_in_path("env"), "-i", "PATH=" + path_variable(), "bash", file.path()});

  CHECK_MESSAGE(run.ok, run.errors);
  CHECK(read_file(host / "virtio,fs/file") == "first\n");
  CHECK(read_file(host / "9p 'x'\n\"$y\"/file") == "second\n");
  CHECK(read_file(host / "third/file") == "third\n");
  CHECK(read_file(host / "fifth/file") == "fifth\n");
  CHECK_FALSE(std::filesystem::exists(runtime / "vm-runner/args-test"));
}
