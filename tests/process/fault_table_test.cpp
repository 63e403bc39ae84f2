// SPDX-License-Identifier: MIT
// Every fault of every child at every stage of its life, and what comes of it: the tables of
// docs/reliability.md. UPDATE_OBSERVED=1 writes them anew.
#include "../fakes/fault.hpp"
#include "build_paths.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/observed_table.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <functional>
#include <sys/stat.h>

using namespace vmr::test;
using fake::Fault;

namespace {

using Settings = Launcher::Variables;

enum class Stage { before_qmp, booting, running, stopping };

const std::vector<std::pair<Stage, std::string>> all_stages = {{Stage::before_qmp, "before QMP"},
                                                               {Stage::booting, "booting"},
                                                               {Stage::running, "running"},
                                                               {Stage::stopping, "stopping"}};

/// What a fault led to: the words of the log, and the exit status.
struct Outcome {
  std::string says;
  std::string status;
};

/// The warnings and errors of a log in one line, without what only quotes a child.
std::string words_of(const std::string& log, const FakeHost& host) {
  std::vector<std::string> words;
  for (auto line : lines_of(log)) {
    const bool counts = line.starts_with("[ERROR] ") || line.starts_with("[WARN] ");
    const bool quotes = line.starts_with("[ERROR]   ") || line.starts_with("[WARN] qemu: ") ||
                        line.starts_with("[WARN] The guest did not say");
    if (!counts || quotes) continue;
    for (auto at = line.find(host / ""); at != line.npos; at = line.find(host / "")) {
      line.replace(at, (host / "").size(), "…/");
    }
    words.push_back(line.substr(line.find("] ") + 2));
  }
  return words.empty() ? "(nothing)" : fmt::format("{}", fmt::join(words, "<br>"));
}

Settings settings_for(Stage stage) {
  // Time enough for the fault at a stage that ends by itself, and not more.
  Settings settings = {{"STOP_TIMEOUT", "1"}, {"LOG_VERBOSE", "1"}};
  if (stage == Stage::before_qmp) settings["FAKE_QEMU"] = "mute";
  if (stage == Stage::before_qmp) settings["START_TIMEOUT"] = "1";
  if (stage == Stage::running) settings["FAKE_QEMU"] = "report";
  if (stage == Stage::running) settings["FAKE_REPORT"] = "1 ok /mnt/one\ndone\n";
  if (stage == Stage::stopping) settings["FAKE_QEMU"] = "ignore-powerdown";
  return settings;
}

/// Waits until the machine is at `stage`.
void reach(Launcher& launcher, Stage stage) {
  REQUIRE(launcher.wait_for_log("virtiofsd-1: [INFO  virtiofsd] Ready"));
  if (stage == Stage::before_qmp) {
    REQUIRE(launcher.wait_for_log("says nothing"));
    return;
  }
  REQUIRE(launcher.wait_for_log("The machine runs"));
  if (stage == Stage::running) REQUIRE(launcher.wait_for_log("mounted in the guest"));
  if (stage != Stage::stopping) return;
  launcher.signal(SIGTERM);
  REQUIRE(launcher.wait_for_log("Stopping ("));
}

/// Runs a machine with one share to its end; `fault` happens at `stage`. With `notices` false
/// nothing comes of it by itself, and the machine is stopped.
Outcome provoke(Stage stage, const std::function<void(Launcher&)>& fault, bool notices,
                const Settings& more = {}) {
  const FakeHost host;
  Launcher launcher(host.settings(
      join(join(FakeHost::virtiofs_share(1, host / "one"), settings_for(stage)), more)));
  reach(launcher, stage);
  fault(launcher);
  if (!notices && stage != Stage::stopping && stage != Stage::before_qmp) launcher.signal(SIGTERM);
  const auto seen = host.finish(launcher);
  return {words_of(seen.log, host), std::to_string(seen.status)};
}

/// The same for a program that fails by itself at its start.
Outcome provoke_at_start(const Settings& settings,
                         const std::function<void(const FakeHost&)>& prepare = {}) {
  const FakeHost host;
  if (prepare) prepare(host);
  const auto seen = host.run(join(FakeHost::virtiofs_share(1, host / "one"), settings));
  return {words_of(seen.log, host), std::to_string(seen.status)};
}

/// A table of docs/reliability.md while it is filled.
class Table {
 public:
  explicit Table(std::string name) : name_(std::move(name)) {}
  ~Table() {
    if (std::uncaught_exceptions() > 0) return;  // a REQUIRE has failed and said why
    check_observed_table("reliability.md", name_,
                         {{"the log says", says_}, {"exit status", statuses_}});
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void add(const std::string& fault, const std::string& stage, const Outcome& outcome) {
    says_.push_back({{fault, stage}, outcome.says});
    statuses_.push_back({{fault, stage}, outcome.status});
  }

 private:
  std::string name_;
  ObservedColumn says_;
  ObservedColumn statuses_;
};

void kill_child(Launcher& launcher, const std::string& program, int signal) {
  const auto pid = launcher.child_pid(program);
  REQUIRE(pid > 0);
  ::kill(pid, signal);
}

/// The faults that a child can have at each stage.
void add_faults_of_stages(Table& table, const std::string& program) {
  struct Row {
    std::string name;
    int signal;
    bool notices;
  };
  const std::vector<Row> rows = {{"is killed", SIGKILL, true},
                                 {"crashes", SIGSEGV, true},
                                 {"stops answering", SIGSTOP, false},
                                 {"floods its stderr", signal_of(Fault::flood), false},
                                 {"closes its socket", signal_of(Fault::close_socket), true}};
  const bool is_qemu = program != "fake_virtiofsd";
  for (const auto& row : rows) {
    const bool notices = row.notices && (is_qemu || row.name != "closes its socket");
    for (const auto& [stage, name] : all_stages) {
      CAPTURE(row.name);
      CAPTURE(name);
      table.add(row.name, name,
                provoke(
                    stage, [&](Launcher& launcher) { kill_child(launcher, program, row.signal); },
                    notices));
    }
  }
}

}  // namespace

TEST_CASE("fault table: virtiofsd") {
  Table table("virtiofsd");
  table.add("cannot be executed", "before QMP", provoke_at_start({}, [](const FakeHost& host) {
              // It answers what it is asked before the start, and is gone then.
              const auto program = host / "virtiofsd";
              write_text(program, fmt::format("#!/bin/sh\n[ \"$1\" != --help ] || rm \"$0\"\n"
                                              "exec {} \"$@\"\n",
                                              FAKE_VIRTIOFSD));
              ::chmod(program.c_str(), 0755);
              write_text(host / "qemu/vhost-user/10-fake.json",
                         R"({"type": "fs", "binary": ")" + program + "\"}");
            }));
  table.add("exits at once", "before QMP", provoke_at_start({{"FAKE_VIRTIOFSD", "exit-at-once"}}));
  table.add("crashes at once", "before QMP",
            provoke_at_start({{"FAKE_VIRTIOFSD", "crash-at-once"}}));
  add_faults_of_stages(table, "fake_virtiofsd");
  table.add("is killed with ON_HELPER_EXIT=keep", "running",
            provoke(Stage::running,
                    [](Launcher& launcher) {
                      kill_child(launcher, "fake_virtiofsd", SIGKILL);
                      REQUIRE(launcher.wait_for_log("the machine goes on"));
                    },
                    false, {{"ON_HELPER_EXIT", "keep"}}));
}

TEST_CASE("fault table: QEMU") {
  Table table("QEMU");
  table.add("cannot be executed", "before QMP", provoke_at_start({}, [](const FakeHost& host) {
              const auto program = host / "bin/qemu-system-x86_64";
              ::unlink(program.c_str());
              write_text(program, "#!/no/such/interpreter\n");
              ::chmod(program.c_str(), 0755);
            }));
  table.add("exits at once", "before QMP", provoke_at_start({{"FAKE_QEMU", "exit-at-once"}}));
  table.add("crashes at once", "before QMP", provoke_at_start({{"FAKE_QEMU", "abort"}}));
  add_faults_of_stages(table, "qemu-system-x86_64");
}

TEST_CASE("fault table: the guest") {
  struct Row {
    std::string name;
    Fault fault;
    bool notices;
  };
  const std::vector<Row> rows = {{"panics", Fault::panic, true},
                                 {"powers itself off", Fault::power_off, true},
                                 {"stops with internal-error", Fault::internal_error, true},
                                 {"finds the host's disk full", Fault::disk_full, false},
                                 {"restarts", Fault::restart, false},
                                 {"floods its reports", Fault::flood_reports, false}};
  Table table("guest");
  for (const auto& row : rows) {
    for (const auto& [stage, name] : all_stages) {
      if (stage == Stage::before_qmp) continue;
      CAPTURE(row.name);
      CAPTURE(name);
      table.add(row.name, name,
                provoke(
                    stage,
                    [&](Launcher& launcher) {
                      kill_child(launcher, "qemu-system-x86_64", signal_of(row.fault));
                      if (row.fault == Fault::disk_full && stage != Stage::stopping) {
                        REQUIRE(launcher.wait_for_log("the machine is paused"));
                      }
                    },
                    row.notices));
    }
  }
  table.add("does not hear the power button", "stopping",
            provoke(
                Stage::stopping, [](Launcher&) {}, false));
  table.add("has only an agent to hear", "stopping",
            provoke(
                Stage::stopping,
                [](Launcher& launcher) {
                  kill_child(launcher, "qemu-system-x86_64", signal_of(Fault::start_agent));
                },
                false));
}
