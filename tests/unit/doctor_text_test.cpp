// SPDX-License-Identifier: MIT
#include "commands/doctor_report.hpp"
#include "support/doctor.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

namespace vmr::test {
namespace {

const Report small = {ExitStatus::host_unsupported,
                      {{"QEMU", "program", CheckResult::ok, "/q, version 1", ""},
                       {"QEMU", "start", CheckResult::note, "not tried", ""},
                       {"shares", "#1 here", CheckResult::warn, "/s: a\nb", "do x"},
                       {"shares", "a name that is long", CheckResult::fail, "no", "do\ty"}}};

TEST_CASE("a report as a table") {
  CHECK(report_table(small, false) ==
        "vm-runner run would not work: 1 of the checks failed (exit status 3).\n"
        "\n"
        "shares\n"
        "  FAIL  a name that is long no\n"
        "                         -> do\\ty\n"
        "\n"
        "QEMU\n"
        "  ok    program          /q, version 1\n"
        "  note  start            not tried\n"
        "shares\n"
        "  warn  #1 here          /s: a\\nb\n"
        "                         -> do x\n");
}

TEST_CASE("a table in colour says the same") {
  auto text = report_table(small, true);
  CHECK(text.starts_with("\x1b[1;31mvm-runner run would not work"));
  CHECK(text.find("\n\n\x1b[1mQEMU\x1b[0m\n  \x1b[32mok\x1b[0m    program ") != text.npos);
  CHECK(text.find("  \x1b[1;31mFAIL\x1b[0m  a name") != text.npos);
  for (auto at = text.find('\x1b'); at != text.npos; at = text.find('\x1b')) {
    text.erase(at, text.find('m', at) + 1 - at);
  }
  CHECK(text == report_table(small, false));
}

TEST_CASE("a report as JSON") {
  CHECK(report_json(small) ==
        R"({"ok":false,"exit_status":3,"checks":[)"
        R"({"area":"QEMU","name":"program","result":"ok","evidence":"/q, version 1","fix":""},)"
        R"({"area":"QEMU","name":"start","result":"note","evidence":"not tried","fix":""},)"
        R"({"area":"shares","name":"#1 here","result":"warn","evidence":"/s: a\nb","fix":"do x"},)"
        R"({"area":"shares","name":"a name that is long","result":"fail","evidence":"no",)"
        R"("fix":"do\ty"}],"untried":[]})"
        "\n");
  CHECK(report_json({}) == "{\"ok\":true,\"exit_status\":0,\"checks\":[],\"untried\":[]}\n");
  CHECK(report_json({ExitStatus::ok, {}, {"-drive 'a\nb'"}}) ==
        R"({"ok":true,"exit_status":0,"checks":[],"untried":["-drive 'a\nb'"]})"
        "\n");
  CHECK(report_table({}, false) == "vm-runner run would work.\n");
}

TEST_CASE("lines end before column 100 where words allow") {
  const std::string word(40, 'w');
  const auto table_of = [](const std::string& evidence) {
    return report_table({ExitStatus::ok, {{"a", "n", CheckResult::ok, evidence, ""}}}, false);
  };
  const std::string start = "vm-runner run would work.\n\na\n  ok    n                ";
  const std::string indent = "\n" + std::string(25, ' ');
  const std::string end = "\n";
  // 25 columns, a word, a blank and 34 more are exactly 100.
  CHECK(table_of(word + " " + std::string(34, 'x') + " y") ==
        start + word + " " + std::string(34, 'x') + indent + "y" + end);
  CHECK(table_of(word + " " + std::string(35, 'x')) ==
        start + word + indent + std::string(35, 'x') + end);
  CHECK(table_of(std::string(300, 'x') + " y") ==
        start + std::string(300, 'x') + indent + "y" + end);
  // A letter of two bytes is one column.
  std::string umlauts;
  for (int i = 0; i < 34; ++i) umlauts += "\xc3\xbc";
  CHECK(table_of(word + " " + umlauts) == start + word + " " + umlauts + end);
}

TEST_CASE("hostile names break neither the table nor the JSON") {
  for (const auto& name : hostile_names()) {
    CAPTURE(name);
    auto host = docker_host();
    const auto path = "/share/" + name;
    host.files[path] = folder();
    host.guest->disk = path;
    host.guest->name = name;
    auto facts = docker_facts();
    facts.image->path = path;
    facts.image->chain = {path, path};
    facts.image->lock = name;
    facts.qemu.kvm_problem = name;
    facts.cpu.model = name;
    facts.folders[path] = {name, 1, FolderFacts::Xattrs::work, ""};
    const auto report = report_of({"FILESYSTEM_SOURCE=" + path, "GUEST_PASSWORD=x"}, host, facts);
    const auto table = report_table(report, false);
    CHECK(std::none_of(table.begin(), table.end(), [](char c) {
      return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    }));
    // Each line starts as one of ours does: with a heading, a mark, or an indent.
    std::size_t rows = 0;
    for (std::size_t at = 0; at < table.size(); at = table.find('\n', at) + 1) {
      const auto start = table.substr(at, 8);
      rows +=
          start == "  ok    " || start == "  note  " || start == "  warn  " || start == "  FAIL  ";
    }
    CHECK(rows == report.checks.size());
    const auto json = boost::json::parse(report_json(report)).as_object();
    CHECK(json.at("checks").as_array().size() == report.checks.size());
  }
}

}  // namespace
}  // namespace vmr::test
