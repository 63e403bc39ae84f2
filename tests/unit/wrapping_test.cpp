// SPDX-License-Identifier: MIT
#include "config/wrapping.hpp"

#include "build_paths.hpp"
#include "config/load.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace vmr::test {
namespace {

/// What is around `value`, and the value without; both empty for nothing.
Strings wrapping_of(const std::string& value, ValueKind kind) {
  const auto found = find_wrapping(value, kind);
  return found ? Strings{found->what, found->bare} : Strings{};
}

const std::string end_hint =
    "save the file that it comes from with Unix line ends (sed -i 's/\\r$//' FILE)";
const std::string env_file_hint =
    "; docker --env-file keeps quotes and blanks as part of the value";

}  // namespace

TEST_CASE("quotes, blanks and carriage returns around a path") {
  struct Row {
    std::string value;
    Strings found;
  };
  const std::vector<Row> rows = {
      {"/share", {}},
      {"/srv/it's", {}},
      {"/srv/say \"hi\"", {}},
      {"/srv/two  blanks", {}},
      {"\"", {}},
      {"", {}},
      {"\"/share\"", {"quotes around it", "/share"}},
      {"'/share'", {"quotes around it", "/share"}},
      {"\u201c/share\u201d", {"quotes around it", "/share"}},
      {"\"\"", {"quotes around it", ""}},
      {"/share ", {"a blank behind it", "/share"}},
      {"/share\n", {"a blank behind it", "/share"}},
      {"/share\u00a0", {"a blank behind it", "/share"}},
      {"\t/share", {"a blank before it", "/share"}},
      {" /share  ", {"blanks around it", "/share"}},
      {"  ", {"only blanks", ""}},
      {"/share\r", {"a carriage return (\\r) at its end", "/share"}},
      {"/share\r\n", {"a carriage return (\\r) at its end", "/share"}},
      {"/share \r", {"a carriage return (\\r) at its end and a blank behind it", "/share"}},
      {"\"/share\"\r", {"a carriage return (\\r) at its end and quotes around it", "/share"}},
      {"'/share' ", {"a blank behind it and quotes around it", "/share"}},
      {"/a\r\n/b", {"carriage returns (\\r) in it", "/a\r\n/b"}},
      {"/a\rb", {}},
  };
  for (const auto& [value, found] : rows) {
    CAPTURE(value);
    CHECK(wrapping_of(value, ValueKind::path) == found);
    CHECK(wrapping_of(value, ValueKind::text) == found);
    CHECK(wrapping_of(value, ValueKind::password) == found);
  }
}

TEST_CASE("what is no wrapping on a command line and around keys") {
  struct Row {
    std::string value;
    ValueKind kind;
    Strings found;
  };
  const Strings quoted = {"quotes around it", "-device virtio-balloon-pci"};
  const std::vector<Row> rows = {
      {"\"-device virtio-balloon-pci\"", ValueKind::words, quoted},
      {"'-device virtio-balloon-pci'", ValueKind::words, quoted},
      {"\"\"", ValueKind::words, {"quotes around it", ""}},
      {"\u201c-S\u201d", ValueKind::words, {"quotes around it", "-S"}},
      {"-device\\ virtio-balloon-pci",
       ValueKind::words,
       {"quoted blanks in its only word", "-device virtio-balloon-pci"}},
      {"-S\r", ValueKind::words, {"a carriage return (\\r) at its end", "-S"}},
      {"-S\r\n-nodefaults",
       ValueKind::words,
       {"carriage returns (\\r) in it", "-S\r\n-nodefaults"}},
      {" -S \n", ValueKind::words, {}},
      {"\"-S\"", ValueKind::words, {}},
      {"'-name' 'a b'", ValueKind::words, {}},
      {"'disk one.img'", ValueKind::words, {}},
      {"\"quiet loglevel=3\"", ValueKind::command_line, {"quotes around it", "quiet loglevel=3"}},
      {"\"a=b c\" d=\"e f\"", ValueKind::command_line, {}},
      {" quiet\n", ValueKind::command_line, {}},
      {"quiet\r\nro\r\n", ValueKind::command_line, {}},
      {"quiet\r", ValueKind::command_line, {"a carriage return (\\r) at its end", "quiet"}},
      {" ssh-rsa A\r\nssh-rsa B\r\n", ValueKind::keys, {}},
      {"\"ssh-rsa A\"", ValueKind::keys, {"quotes around it", "ssh-rsa A"}},
  };
  for (const auto& [value, kind, found] : rows) {
    CAPTURE(value);
    CHECK(wrapping_of(value, kind) == found);
  }
}

TEST_CASE("an env-file with quotes: each value is named") {
  std::istringstream file(read_text(SOURCE_FOLDER "/tests/cases/docker/quoted.env"));
  Strings environment;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) environment.push_back(line);
  }
  const std::string quotes = ": the value itself has quotes around it";
  CHECK(judge(environment, docker_host()) ==
        Verdict{
            {{"MEMORY='\"1G\"'" + quotes, "MEMORY (environment)", "give 1G alone" + env_file_hint},
             {"EXTRA_ARGS='\"-device virtio-balloon-pci\"'" + quotes, "EXTRA_ARGS (environment)",
              "give -device virtio-balloon-pci alone" + env_file_hint},
             {"FILESYSTEM_SOURCE='\"/share\"'" + quotes, "FILESYSTEM_SOURCE (environment)",
              "give /share alone" + env_file_hint}},
            {"GUEST_PASSWORD (environment): the value itself has quotes around it, which the "
             "password has then"}});
}

TEST_CASE("a carriage return is blamed on the variable that has it") {
  const std::string at_end = ": the value itself has a carriage return (\\r) at its end";
  CHECK(judge({"FILESYSTEM_SOURCE=/share\r", "MEMORY=1G\r", "FILESYSTEM_DRIVER=9p\r",
               "FILESYSTEM_TARGET=data\r", "PERSIST=\r", "GUEST_PASSWORD=secret\r"},
              docker_host()) ==
        Verdict{
            {{"MEMORY='1G\r'" + at_end, "MEMORY (environment)", end_hint},
             {"PERSIST='\r'" + at_end, "PERSIST (environment)", end_hint},
             {"FILESYSTEM_SOURCE='/share\r'" + at_end, "FILESYSTEM_SOURCE (environment)", end_hint},
             {"FILESYSTEM_TARGET='data\r'" + at_end, "FILESYSTEM_TARGET (environment)", end_hint},
             {"FILESYSTEM_DRIVER='9p\r'" + at_end, "FILESYSTEM_DRIVER (environment)", end_hint}},
            {"GUEST_PASSWORD (environment): the value itself has a carriage return (\\r) at its "
             "end, which the password has then"}});
}

TEST_CASE("values of every origin are looked at, and keys are not shown") {
  Arguments arguments;
  arguments.assignments = {"guest_name='vm'"};
  const auto loaded = load_config(arguments, {"SSH_PUBKEY='-----BEGIN'"},
                                  {"vm.toml", "machine = \" q35\"\ncmdline = \" quiet \"\n"});
  CHECK(loaded.problems ==
        std::vector<Problem>{
            {"MACHINE=' q35': the value itself has a blank before it", "machine (vm.toml:1)",
             "give q35 alone"},
            {"GUEST_NAME=''vm'': the value itself has quotes around it",
             "GUEST_NAME (--set guest_name='vm')", "give vm alone"},
            {"SSH_PUBKEY: the value itself has quotes around it", "SSH_PUBKEY (environment)",
             "give the contents alone" + env_file_hint}});
  CHECK(loaded.config.cmdline.value == " quiet ");
}

TEST_CASE("a path with quotes or blanks around it is refused where nothing is at it") {
  auto host = docker_host();
  host.guest_problem = "no such file";
  host.user_data_problem = "no such file";
  const auto refused = [](const std::string& variable, const std::string& value,
                          const std::string& what, const std::string& bare) {
    return Problem{variable + "='" + value + "': the value itself has " + what,
                   variable + " (environment)", "give " + bare + " alone" + env_file_hint};
  };
  CHECK(judge({"BASE_IMAGE='/img'", "KERNEL=/boot/vmlinuz ", "INITRD=\"/boot/initrd\"",
               "CLOUD_INIT_USER_DATA='/u'", "FILESYSTEM_SOURCE=/share ", "GUEST_PASSWORD=x"},
              host)
            .problems ==
        std::vector<Problem>{
            refused("KERNEL", "/boot/vmlinuz ", "a blank behind it", "/boot/vmlinuz"),
            refused("INITRD", "\"/boot/initrd\"", "quotes around it", "/boot/initrd"),
            refused("BASE_IMAGE", "'/img'", "quotes around it", "/img"),
            refused("FILESYSTEM_SOURCE", "/share ", "a blank behind it", "/share"),
            refused("CLOUD_INIT_USER_DATA", "'/u'", "quotes around it", "/u")});
  host = docker_host();
  host.guest->disk = "/d";
  const Strings persist = {"PERSIST=1", "DATA_DIR=/data ", "GUEST_PASSWORD=x"};
  CHECK(judge(persist, host).problems ==
        std::vector<Problem>{refused("DATA_DIR", "/data ", "a blank behind it", "/data")});
  // A value that is not used now is to be right all the same.
  CHECK(judge({"DATA_DIR=\"/data\""}, host).problems ==
        std::vector<Problem>{refused("DATA_DIR", "\"/data\"", "quotes around it", "/data")});
  CHECK(judge({"PERSIST=1", "DATA_DIR=$HOME/data", "GUEST_PASSWORD=x"}, host).problems ==
        std::vector<Problem>{
            {"DATA_DIR='$HOME/data': no such directory, and none is made: '$' is a variable that "
             "nobody has filled in",
             "DATA_DIR (environment)",
             "write the path out; a folder that is named so: create it first"}});
  host.files["/data "] = folder();
  host.files["/share "] = folder();
  CHECK(judge(persist, host).problems == std::vector<Problem>{});
  CHECK(judge({"FILESYSTEM_SOURCE=/share "}, host) == Verdict{});
}

}  // namespace vmr::test
