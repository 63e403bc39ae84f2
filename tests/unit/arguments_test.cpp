// SPDX-License-Identifier: MIT
#include "config/arguments.hpp"

#include "base/error.hpp"
#include "config/help.hpp"
#include "config/settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vmr;
using Strings = std::vector<std::string>;

namespace {

/// The message for a command line that is wrong.
std::string refusal(const Strings& argv) {
  try {
    parse_arguments(argv);
  } catch (const Error& error) {
    CHECK(error.status == ExitStatus::usage);
    CHECK(!error.hint.empty());
    return error.what();
  }
  return "(accepted)";
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("no words mean run") {
  CHECK(parse_arguments({}) == Arguments{});
  CHECK(parse_arguments({"run"}) == Arguments{});
}

TEST_CASE("run can be left out") {
  Arguments expected;
  expected.config_file = "vm.toml";
  CHECK(parse_arguments({"vm.toml"}) == expected);
  CHECK(parse_arguments({"run", "vm.toml"}) == expected);
  expected.config_file = "./run";
  CHECK(parse_arguments({"./run"}) == expected);
}

TEST_CASE("settings are taken one a time and in order") {
  Arguments expected;
  expected.config_file = "vm.toml";
  expected.assignments = {"MEMORY=1G", "cpus=2", "MEMORY=2G", "CMDLINE=a=b c"};
  CHECK(parse_arguments({"--set", "MEMORY=1G", "--set=cpus=2", "vm.toml", "--set", "MEMORY=2G",
                         "--set", "CMDLINE=a=b c"}) == expected);
}

TEST_CASE("everything behind the first two dashes goes to QEMU as it is") {
  Arguments expected;
  expected.config_file = "/a b.toml";
  expected.qemu_args = {"-device", "x,y=\"'$(id)\n", "--set", "A=B", "--", "--help", ""};
  CHECK(parse_arguments({"run", "/a b.toml", "--", "-device", "x,y=\"'$(id)\n", "--set", "A=B",
                         "--", "--help", ""}) == expected);
  CHECK(parse_arguments({"--"}) == Arguments{});
}

TEST_CASE("hostile words arrive as they are") {
  for (const std::string& word :
       {std::string("/[a,b]"), std::string("/a,b.toml"), std::string("/\n'\"`"), std::string("/%%"),
        std::string("/größe 中"), std::string("/") + std::string(100000, 'x')}) {
    CAPTURE(word);
    Arguments expected;
    expected.config_file = word;
    expected.assignments = {"[" + word + "]", word + "=" + word};
    expected.qemu_args = {word};
    CHECK(parse_arguments({"--set", "[" + word + "]", word, "--set", word + "=" + word, "--",
                           word}) == expected);
  }
}

TEST_CASE("args has a format") {
  Arguments expected;
  expected.command = Command::args;
  CHECK(parse_arguments({"args"}) == expected);
  CHECK(parse_arguments({"args", "--format=shell"}) == expected);
  expected.format = Format::lines;
  CHECK(parse_arguments({"args", "--format", "lines"}) == expected);
  expected.format = Format::json;
  expected.config_file = "a/b";
  expected.assignments = {"A=B"};
  expected.qemu_args = {"-S"};
  CHECK(parse_arguments({"args", "--format=json", "a/b", "--set", "A=B", "--", "-S"}) == expected);
}

TEST_CASE("args explains, takes a part, or compares") {
  Arguments expected;
  expected.command = Command::args;
  expected.explain = true;
  expected.only = "a,b\n%";
  CHECK(parse_arguments({"args", "--explain", "--only=a,b\n%"}) == expected);
  expected = {};
  expected.command = Command::args;
  expected.config_file = "vm.toml";
  expected.diff = "o t'h\"er.toml";
  CHECK(parse_arguments({"args", "vm.toml", "--diff", "o t'h\"er.toml"}) == expected);
  CHECK(refusal({"args", "--diff=b.toml", "--explain"}) ==
        "args: --explain and --diff do not go together");
  CHECK(refusal({"args", "--diff=b.toml", "--only=memory"}) ==
        "args: --only and --diff do not go together");
  CHECK(refusal({"run", "--explain"}) == "The following argument was not expected: --explain");
}

TEST_CASE("doctor and config have formats, and take QEMU's words") {
  Arguments expected;
  expected.command = Command::doctor;
  expected.format = Format::table;
  expected.qemu_args = {"-m", "1G"};
  CHECK(parse_arguments({"doctor", "--", "-m", "1G"}) == expected);
  expected = {};
  expected.command = Command::config;
  expected.format = Format::toml;
  expected.show_secrets = true;
  CHECK(parse_arguments({"config", "--show-secrets"}) == expected);
  expected.format = Format::json;
  CHECK(parse_arguments({"config", "--format=json", "--show-secrets"}) == expected);
  CHECK(refusal({"config", "--format=table"}) == "--format=table: unknown format");
}

TEST_CASE("import takes libvirt's file and nothing else") {
  Arguments expected;
  expected.command = Command::import_domain;
  expected.domain = "my domain,%.xml";
  CHECK(parse_arguments({"import", "my domain,%.xml"}) == expected);
  expected.verbose = true;
  CHECK(parse_arguments({"import", "--verbose", "my domain,%.xml"}) == expected);
  CHECK(refusal({"import"}) == "import: no file with a libvirt domain given");
  CHECK(refusal({"import", "a.xml", "--set", "A=B"}) ==
        "The following arguments were not expected: A=B --set");
  CHECK(refusal({"import", "a.xml", "--", "-S"}) == "import: takes no QEMU arguments behind --");
}

TEST_CASE("seed has an output") {
  Arguments expected;
  expected.command = Command::seed;
  expected.output = "seed.iso";
  CHECK(parse_arguments({"seed", "-o", "seed.iso"}) == expected);
  expected.config_file = "vm.toml";
  expected.assignments = {"A=B"};
  CHECK(parse_arguments({"seed", "vm.toml", "-o", "seed.iso", "--set", "A=B"}) == expected);
}

TEST_CASE("listen has sockets and a command") {
  Arguments expected;
  expected.command = Command::listen;
  expected.sockets = {{3, "/run/a.sock"}, {1023, "b=c, [d]"}};
  expected.connections = {{4, "c=d@e"}};
  expected.qemu_args = {"virtiofsd", "--fd=3", "--", "x"};
  CHECK(parse_arguments({"listen", "3=/run/a.sock", "1023=b=c, [d]", "4@c=d@e", "--", "virtiofsd",
                         "--fd=3", "--", "x"}) == expected);
}

TEST_CASE("a wrong command is told with the nearest") {
  CHECK(refusal({"agrs"}) == "unknown command 'agrs'; did you mean 'args'?");
  CHECK(refusal({"sed", "-o", "x"}) == "unknown command 'sed'; did you mean 'seed'?");
  CHECK(refusal({"vm"}) == "unknown command 'vm'");
  CHECK(refusal({""}) == "unknown command ''");
  CHECK(refusal({"a\nb"}) == "unknown command 'a\nb'");
}

TEST_CASE("what is no configuration file is refused") {
  CHECK(refusal({"run", "vm"}) == "'vm' is not a configuration file");
  CHECK(refusal({"args", "run"}) == "'run' is not a configuration file");
  CHECK(refusal({"--set", "A=B", "args"}) == "'args' is not a configuration file");
}

TEST_CASE("a setting without --set is told so, without its value") {
  CHECK(refusal({"args", "GUEST_PASSWORD=hunter2"}) == "'GUEST_PASSWORD=…': a setting needs --set");
  CHECK(refusal({"--guest_password=hunter2"}) == "'--guest_password=…': a setting needs --set");
  CHECK(refusal({"run", "vm.toml", "GUEST_PASWORD=/hunter2.toml"}) ==
        "'GUEST_PASWORD=…': a setting needs --set");
  CHECK(refusal({"share", "add", "/a", "FILESYSTEM2_TARGET=x"}) ==
        "'FILESYSTEM2_TARGET=…': a setting needs --set");
  Arguments expected;
  expected.assignments = {"MEMORY=1G", "MEMORY=2G"};
  CHECK(parse_arguments({"--set", "MEMORY=1G", "--set=MEMORY=2G"}) == expected);
}

TEST_CASE("other wrong words are named") {
  CHECK(mentions(refusal({"a.toml", "b.toml"}), "b.toml"));
  CHECK(mentions(refusal({"args", "--frmat=json"}), "--frmat"));
  CHECK(mentions(refusal({"run", "--format=json"}), "--format"));
  CHECK(mentions(refusal({"run", "-o", "x"}), "-o"));
  CHECK(mentions(refusal({"--set"}), "--set"));
  CHECK(mentions(refusal({"seed", "-o"}), "-o"));
  CHECK(refusal({"status", "--format=shell"}) == "--format=shell: unknown format");
  CHECK(refusal({"status", "--", "-x"}) == "status: takes no QEMU arguments behind --");
  CHECK(refusal({"args", "--healthy"}) == "The following argument was not expected: --healthy");
  CHECK(refusal({"args", "--format=jsn"}) == "--format=jsn: unknown format; did you mean 'json'?");
  CHECK(refusal({"args", "--format", ""}) == "--format=: unknown format");
  CHECK(refusal({"seed"}) == "seed: no -o FILE given");
  CHECK(refusal({"seed", "-o", ""}) == "seed: no -o FILE given");
  CHECK(refusal({"seed", "-o", "x", "--", "-S"}) == "seed: takes no QEMU arguments behind --");
}

TEST_CASE("commands for a running VM") {
  Arguments expected;
  expected.command = Command::stop;
  expected.now = true;
  expected.assignments = {"GUEST_NAME=a"};
  CHECK(parse_arguments({"stop", "--now", "--set", "GUEST_NAME=a"}) == expected);

  expected = {};
  expected.command = Command::status;
  expected.format = Format::table;
  expected.wait = true;
  CHECK(parse_arguments({"status", "--wait"}) == expected);

  expected = {};
  expected.command = Command::exec;
  expected.qemu_args = {"ls", "-l", "--", "a b"};
  CHECK(parse_arguments({"exec", "--", "ls", "-l", "--", "a b"}) == expected);
  CHECK(refusal({"exec"}) == "exec: no command behind --");
  CHECK(refusal({"exec", "--"}) == "exec: no command behind --");
  CHECK(refusal({"console", "--", "x"}) == "console: takes no QEMU arguments behind --");
}

TEST_CASE("what is to be done with the shares of a running VM") {
  Arguments expected;
  expected.command = Command::share;
  expected.format = Format::table;
  CHECK(parse_arguments({"share"}) == expected);
  CHECK(parse_arguments({"share", "list"}) == expected);
  expected.format = Format::json;
  CHECK(parse_arguments({"share", "--format=json"}) == expected);
  expected.format = Format::table;
  expected.share_action = ShareAction::add;
  expected.share = "/srv/a b.toml";
  expected.assignments = {"TARGET=x"};
  CHECK(parse_arguments({"share", "add", "/srv/a b.toml", "--set", "TARGET=x"}) == expected);
  expected.share_action = ShareAction::remove;
  expected.share = "3";
  expected.assignments = {};
  CHECK(parse_arguments({"share", "remove", "3"}) == expected);
  CHECK(refusal({"share", "remov", "/x"}) ==
        "share: unknown action 'remov'; did you mean 'remove'?");
  CHECK(refusal({"share", "add"}) == "share add: no folder given");
  CHECK(refusal({"share", "add", ""}) == "share add: no folder given");
  CHECK(refusal({"share", "remove", "--set", "A=B"}) == "share remove: no share given");
}

TEST_CASE("wrong sockets are named") {
  CHECK(refusal({"listen", "--", "x"}) == "listen: no FD=PATH given");
  CHECK(refusal({"listen", "3=/a"}) == "listen: no command behind --");
  CHECK(refusal({"listen", "3=/a", "--"}) == "listen: no command behind --");
  for (const auto* word : {"2=/a", "1024=/a", "x=/a", "=/a", "3=", "3", "", "-1=/a", "--foo",
                           "99999999999999999999=/a"}) {
    CAPTURE(word);
    CHECK(refusal({"listen", word, "--", "x"}) ==
          "'" + std::string(word) + "': not of the form FD=PATH");
  }
  CHECK(refusal({"listen", "3=/a", "4=/b", "3=/c", "--", "x"}) ==
        "'3=/c': descriptor 3 is given twice");
  CHECK(refusal({"listen", "3=/a", "3@/c", "--", "x"}) == "'3@/c': descriptor 3 is given twice");
}

TEST_CASE("help is one for all and one for each command") {
  const auto help = [](const Strings& argv) {
    const auto arguments = parse_arguments(argv);
    CHECK(arguments.command == Command::help);
    return arguments.text;
  };
  CHECK(help({"--help"}) == help_text());
  CHECK(help({"-h"}) == help_text());
  CHECK(help({"--set", "A=B", "--help"}) == help_text());
  CHECK(help({"run", "--help"}) == help_text(Command::run));
  CHECK(help({"args", "vm.toml", "-h"}) == help_text(Command::args));
  CHECK(help({"seed", "--help"}) == help_text(Command::seed));
  CHECK(help({"console", "--help"}) == help_text(Command::console));
  CHECK(help({"listen", "-h"}) == help_text(Command::listen));
  CHECK(help({"stop", "-h"}) == help_text(Command::stop));
  CHECK(help({"share", "-h"}) == help_text(Command::share));
  CHECK(help({"share", "add", "-h"}) == help_text(Command::share));
}

TEST_CASE("the version is printed") {
  Arguments expected;
  expected.command = Command::version;
  expected.text = version_text();
  CHECK(parse_arguments({"--version"}) == expected);
  CHECK(expected.text.starts_with("vm-runner "));
  CHECK(expected.text.ends_with("\n"));
}

TEST_CASE("the help names every command and exit status and setting in 100 columns") {
  const std::string text = help_text();
  for (const auto* part :
       {"vm-runner [run]", "vm-runner args", "vm-runner seed", "vm-runner listen", "\n  0  ",
        "\n  1  ", "\n  2  ", "\n  3  ", "\n  4  ", "\n  5  "}) {
    CAPTURE(part);
    CHECK(mentions(text, part));
  }
  for (const auto& setting : vm_settings()) {
    CAPTURE(setting.name);
    CHECK(mentions(text, "\n  " + std::string(setting.name) + " "));
  }
  for (const auto& setting : share_settings()) {
    CAPTURE(setting.name);
    CHECK(mentions(text, "\n  " + share_variable(1, setting.name) + " "));
  }
  for (const auto command :
       {Command::help, Command::run, Command::args, Command::seed, Command::listen}) {
    const std::string one = help_text(command);
    CHECK(one.ends_with("\n"));
    for (auto start = one.begin(); start != one.end();) {
      const auto end = std::find(start, one.end(), '\n');
      CAPTURE(std::string(start, end));
      CHECK(end - start <= 100);
      start = end + 1;
    }
  }
}
