// SPDX-License-Identifier: MIT
#include "config/raw_settings.hpp"

#include <doctest/doctest.h>

using namespace vmr;
using Values = std::map<SettingKey, Given<std::string>>;
using Problems = std::vector<Problem>;

namespace {

Given<std::string> said(const std::string& variable, const std::string& value, int line) {
  return {value, {Source::file, variable, "vm.toml:" + std::to_string(line)}};
}

RawSettings read(const std::string& text) {
  return read_toml(text, "vm.toml");
}

}  // namespace

TEST_CASE("top level keys and share tables become settings with their lines") {
  const auto raw = read(
      "memory = \"2G\"\n"
      "cpus = 4\n"
      "\n"
      "[[share]]\n"
      "source = \"/a\"\n"
      "readonly = true\n"
      "[[share]]\n"
      "source = '/b'\n"
      "accessmode = 'mapped'\n");
  CHECK(raw.values == Values{
                          {{0, "MEMORY"}, said("MEMORY", "2G", 1)},
                          {{0, "CPUS"}, said("CPUS", "4", 2)},
                          {{1, "SOURCE"}, said("FILESYSTEM_SOURCE", "/a", 5)},
                          {{1, "READONLY"}, said("FILESYSTEM_READONLY", "true", 6)},
                          {{2, "SOURCE"}, said("FILESYSTEM2_SOURCE", "/b", 8)},
                          {{2, "ACCESSMODE"}, said("FILESYSTEM2_ACCESSMODE", "mapped", 9)},
                      });
  CHECK(raw.share_lines == std::map<int, Origin>{{1, {Source::file, "[[share]]", "vm.toml:4"}},
                                                 {2, {Source::file, "[[share]]", "vm.toml:7"}}});
  CHECK(raw.problems == Problems{});
}

TEST_CASE("values are read as a user would write them") {
  const std::vector<std::pair<std::string, Given<std::string>>> table = {
      {"cpus = 4", said("CPUS", "4", 1)},
      {"cpus = -4", said("CPUS", "-4", 1)},
      {"memory = 0x1000", said("MEMORY", "4096", 1)},
      {"memory = 0b1000", said("MEMORY", "8", 1)},
      {"memory = 0o1000", said("MEMORY", "0o1000", 1)},
      {"memory = 1_024", said("MEMORY", "1024", 1)},
      {"stop_timeout = 0.5", said("STOP_TIMEOUT", "0.5", 1)},
      {"persist = true", said("PERSIST", "true", 1)},
      {"persist = false", said("PERSIST", "false", 1)},
      {"extra_args = \"-a 'b c'\"", said("EXTRA_ARGS", "-a 'b c'", 1)},
      {"extra_args = ['-a', 'b c', '', \"it's\"]", said("EXTRA_ARGS", "-a 'b c' '' 'it'\\''s'", 1)},
      {"cmdline = '''\na=\"b\" $(c), ü\n'''", said("CMDLINE", "a=\"b\" $(c), ü\n", 1)},
  };
  for (const auto& [text, value] : table) {
    CAPTURE(text);
    const auto raw = read(text);
    CHECK(raw.problems == Problems{});
    REQUIRE(raw.values.size() == 1);
    CHECK(raw.values.begin()->second == value);
  }
}

TEST_CASE("a mode can be an octal integer or plain digits") {
  const auto raw = read("share = [{fmode = 0o640, dmode = 750}]");
  CHECK(raw.values == Values{{{1, "FMODE"}, said("FILESYSTEM_FMODE", "0o640", 1)},
                             {{1, "DMODE"}, said("FILESYSTEM_DMODE", "750", 1)}});
}

TEST_CASE("an empty text counts as unset and an empty document says nothing") {
  for (const auto* text : {"", "\n# nothing\n", "memory = ''\nextra_args = []", "share = []"}) {
    CAPTURE(text);
    const auto raw = read(text);
    CHECK(raw.values == Values{});
    CHECK(raw.problems == Problems{});
  }
}

TEST_CASE("a share without any value does not vanish") {
  const Values empty_share = {{{2, "SOURCE"}, said("FILESYSTEM2_SOURCE", "", 3)},
                              {{1, "SOURCE"}, said("FILESYSTEM_SOURCE", "/a", 2)}};
  CHECK(read("[[share]]\nsource = '/a'\n[[share]]\n").values == empty_share);
  CHECK(read("[[share]]\nsource = '/a'\n[[share]]\nsource = ''\n").values == empty_share);
}

TEST_CASE("an unknown key is a problem that names the right one") {
  const std::vector<std::pair<std::string, Problem>> table = {
      {"memroy = 1", {"memroy: unknown setting", "memroy (vm.toml:1)", "did you mean memory?"}},
      {"\nMEMORY = 1", {"MEMORY: unknown setting", "MEMORY (vm.toml:2)", "did you mean memory?"}},
      {"colour = 'red'",
       {"colour: unknown setting", "colour (vm.toml:1)", "vm-runner --help lists every setting"}},
      {"source = '/a'",
       {"source: unknown setting", "source (vm.toml:1)",
        "source belongs to a share: put it below a line [[share]]"}},
      {"[vm]\nmemory = 1",
       {"vm: unknown setting", "vm (vm.toml:1)", "vm-runner --help lists every setting"}},
      {"[[share]]\nsource='/a'\nacessmode = 'x'",
       {"acessmode: unknown setting", "acessmode (vm.toml:3)", "did you mean accessmode?"}},
      {"[[share]]\nsource='/a'\nmemory = 1",
       {"memory: unknown setting", "memory (vm.toml:3)",
        "memory belongs to the VM: put it above the first [[share]]"}},
      {"\"a\\nb\" = 1",
       {"a\nb: unknown setting", "a\nb (vm.toml:1)", "vm-runner --help lists every setting"}},
  };
  for (const auto& [text, problem] : table) {
    CAPTURE(text);
    CHECK(read(text).problems == Problems{problem});
  }
}

TEST_CASE("a value of another type is a problem") {
  const std::string scalar = "a string, number or boolean";
  const std::string words = "a string, or a list of strings";
  const std::vector<std::pair<std::string, Problem>> table = {
      {"memory = [1]", {"MEMORY: not a value of a setting", "memory (vm.toml:1)", scalar}},
      {"memory = 2020-01-01", {"MEMORY: not a value of a setting", "memory (vm.toml:1)", scalar}},
      {"guest_password = ['hunter2']",
       {"GUEST_PASSWORD: not a value of a setting", "guest_password (vm.toml:1)", scalar}},
      {"extra_args = ['-m', 1]",
       {"EXTRA_ARGS: not a value of a setting", "extra_args (vm.toml:1)", words}},
      {"guest_password = 1.10",
       {"GUEST_PASSWORD: not a value of a setting: a number, and text is meant",
        "guest_password (vm.toml:1)", "write it in quotes: guest_password = \"…\""}},
      {"guest_name =  1_0  # ü",
       {"GUEST_NAME: not a value of a setting: a number, and text is meant",
        "guest_name (vm.toml:1)", "write it in quotes: guest_name = \"…\""}},
      {"guest_name = 2026-01-01 ",
       {"GUEST_NAME: not a value of a setting: a date or time, and text is meant",
        "guest_name (vm.toml:1)", "write it in quotes: guest_name = \"2026-01-01\""}},
      {"guest_name = 07:32:00",
       {"GUEST_NAME: not a value of a setting: a date or time, and text is meant",
        "guest_name (vm.toml:1)", "write it in quotes: guest_name = \"07:32:00\""}},
      {"machine =   7.20 # not 7.2",
       {"MACHINE: not a value of a setting: a number, and text is meant", "machine (vm.toml:1)",
        "write it in quotes: machine = \"7.20\""}},
      {"base_image = true",
       {"BASE_IMAGE: not a value of a setting: a boolean, and text is meant",
        "base_image (vm.toml:1)", "write it in quotes: base_image = \"true\""}},
      {"qemu_user = 1000",
       {"QEMU_USER: not a value of a setting: a number, and text is meant", "qemu_user (vm.toml:1)",
        "write it in quotes: qemu_user = \"1000\""}},
      {"extra_args = 1",
       {"EXTRA_ARGS: not a value of a setting: a number, and text is meant",
        "extra_args (vm.toml:1)", "write it in quotes: extra_args = \"1\""}},
      {"persist = 1.0",
       {"PERSIST: not a value of a setting: a number, and yes or no is meant",
        "persist (vm.toml:1)", "write persist = true"}},
      {"share = [{fmode = 0x1a4}]",
       {"FILESYSTEM_FMODE: not a value of a setting: a number that is not octal, and a mode is "
        "meant",
        "fmode (vm.toml:1)", "write it in octal: fmode = 0o644"}},
      {"share = [{dmode = 0b11}]",
       {"FILESYSTEM_DMODE: not a value of a setting: a number that is not octal, and a mode is "
        "meant",
        "dmode (vm.toml:1)", "write it in octal: dmode = 0o644"}},
      {"share = [{fmode = 644.0}]",
       {"FILESYSTEM_FMODE: not a value of a setting: a number, and a mode is meant",
        "fmode (vm.toml:1)", "write it in octal: fmode = 0o644"}},
      {"extra_args = {a = 1}",
       {"EXTRA_ARGS: not a value of a setting", "extra_args (vm.toml:1)", words}},
      {"cmdline = \"a\\u0000b\"",
       {"CMDLINE: contains a NUL character", "cmdline (vm.toml:1)", "leave the character out"}},
      {"extra_args = [\"a\\u0000b\"]",
       {"EXTRA_ARGS: contains a NUL character", "extra_args (vm.toml:1)",
        "leave the character out"}},
  };
  for (const auto& [text, problem] : table) {
    CAPTURE(text);
    const auto raw = read(text);
    CHECK(raw.problems == Problems{problem});
    REQUIRE(raw.values.size() == 1);
    const auto& [key, value] = *raw.values.begin();
    CHECK(value == Given<std::string>{"", {Source::file, variable_of(key), "vm.toml:1"}, true});
  }
}

TEST_CASE("shares are a list of tables") {
  const Problem no_list{"share: not a list of tables", "share (vm.toml:1)",
                        "begin each share with a line [[share]]"};
  for (const auto* text : {"[share]\nsource = '/a'", "share = '/a'", "share = ['/a']",
                           "share = [{source = '/a'}, 1]"}) {
    CAPTURE(text);
    const auto raw = read(text);
    CHECK(raw.problems == Problems{no_list});
    CHECK(raw.values == Values{});
  }
}

TEST_CASE("a share can say its number, and those behind it count on") {
  const auto raw = read(
      "[[share]]\nsource = '/a'\n"
      "[[share]]\nnumber = 7\nsource = '/g'\n"
      "[[share]]\nsource = '/h'\n"
      "[[share]]\nnumber = '2'\nsource = '/b'\n"
      "[[share]]\nnumber = 999\n");
  CHECK(raw.problems == Problems{});
  CHECK(raw.values == Values{{{1, "SOURCE"}, said("FILESYSTEM_SOURCE", "/a", 2)},
                             {{7, "SOURCE"}, said("FILESYSTEM7_SOURCE", "/g", 5)},
                             {{8, "SOURCE"}, said("FILESYSTEM8_SOURCE", "/h", 7)},
                             {{2, "SOURCE"}, said("FILESYSTEM2_SOURCE", "/b", 10)},
                             {{999, "SOURCE"}, said("FILESYSTEM999_SOURCE", "", 11)}});
}

TEST_CASE("a share's number that is none, or another's, is a problem") {
  const auto no_number = [](const std::string& value) {
    return Problem{"number='" + value + "': not the number of a share", "number (vm.toml:1)",
                   "a whole number, 1 to 999"};
  };
  const std::string hint = "give it another number, or leave all numbers out";
  const std::vector<std::pair<std::string, Problem>> table = {
      {"0", no_number("0")},
      {"1000", no_number("1000")},
      {"-1", no_number("-1")},
      {"1.5", no_number("1.5")},
      {"'x'", no_number("x")},
      {"[1]", no_number("")},
      {"99999999999", no_number("99999999999")}};
  for (const auto& [value, problem] : table) {
    CAPTURE(value);
    const auto raw = read("share = [{source = '/a', number = " + value + "}]");
    CHECK(raw.problems == Problems{problem});
    CHECK(raw.values == Values{{{1, "SOURCE"}, said("FILESYSTEM_SOURCE", "/a", 1)}});
  }
  CHECK(read("[[share]]\nnumber = 2\nsource = '/b'\n[[share]]\nnumber = 1\nsource = '/a'\n"
             "[[share]]\nsource = '/c'\n")
            .problems == Problems{{"share: the number 2 is that of another one, at vm.toml:1",
                                   "[[share]] (vm.toml:7)", hint}});
  CHECK(read("[[share]]\nnumber = 999\nsource = '/b'\n[[share]]\nsource = '/a'\n").problems ==
        Problems{{"share: the number 1000 is too large", "[[share]] (vm.toml:4)", hint}});
}

TEST_CASE("there are at most 999 shares") {
  std::string text;
  for (int i = 0; i < max_share_number; ++i) text += "[[share]]\nsource = '/a'\n";
  CHECK(read(text).values.size() == 999);
  CHECK(read(text + "[[share]]\n").problems ==
        Problems{{"share: too many shares", "share (vm.toml:1)", "at most 999"}});
}

TEST_CASE("a syntax error is one problem with its place") {
  const auto raw = read("memory = 1\ncpus = = 2\npersist = nope\n");
  CHECK(raw.values == Values{});
  REQUIRE(raw.problems.size() == 1);
  const auto& problem = raw.problems.front();
  CHECK(problem.message.starts_with("vm.toml: "));
  CHECK(problem.message.size() > std::string("vm.toml: ").size());
  CHECK(problem.origin == "vm.toml:2:8");
  CHECK(problem.hint == "correct the TOML there");
}

TEST_CASE("bytes that are no TOML are a problem and no crash") {
  for (const std::string& text :
       {std::string("\xff\xfe"), std::string("a = \"\x01\""), std::string("\0", 1),
        std::string("[[share"), std::string("memory = 1\nmemory = 2\n"), std::string(5000, '['),
        std::string("a = ") + std::string(5000, '['), std::string("fmode = 0644")}) {
    CAPTURE(text);
    const auto raw = read(text);
    CHECK(raw.values == Values{});
    CHECK(raw.problems.size() == 1);
  }
}

TEST_CASE("the name of the file may be anything") {
  const auto raw = read_toml("memory = 1", "/a b/{}%s\n.toml");
  CHECK(raw.values ==
        Values{{{0, "MEMORY"}, {"1", {Source::file, "MEMORY", "/a b/{}%s\n.toml:1"}}}});
}
