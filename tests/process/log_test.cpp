// SPDX-License-Identifier: MIT
// What the whole launcher logs, as text and as JSON.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <regex>

using namespace vmr::test;

namespace {

namespace json = boost::json;

using Lines = std::vector<std::string>;

/// The objects of a log; a line that is none fails the test.
std::vector<json::object> objects_of(const std::string& log) {
  std::vector<json::object> objects;
  for (const auto& line : lines_of(log)) {
    CAPTURE(line);
    boost::system::error_code error;
    const auto value = json::parse(line, error);
    REQUIRE_FALSE(error);
    REQUIRE(value.is_object());
    objects.push_back(value.as_object());
    const std::string time(objects.back().at("time").as_string());
    CHECK(std::regex_match(time, std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z")));
  }
  return objects;
}

/// Each object without its time, as text.
Lines without_time(const std::string& log) {
  Lines lines;
  for (auto& object : objects_of(log)) {
    object.stable_erase("time");
    lines.push_back(json::serialize(object));
  }
  return lines;
}

/// Whether some line of `log` is all of `pattern`.
bool has_line(const std::string& log, const std::string& pattern) {
  const auto lines = lines_of(log);
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return std::regex_match(line, std::regex(pattern));
  });
}

Launcher::Variables verbose_run(const FakeHost& host) {
  return join(FakeHost::virtiofs_share(1, host / "one, \"two\""),
              {{"FAKE_QEMU", "poweroff"}, {"LOG_VERBOSE", "1"}});
}

}  // namespace

TEST_CASE("log: a verbose run tells its children, their messages and its steps") {
  const FakeHost host;
  const auto seen = host.run(verbose_run(host));
  CHECK(seen.status == 0);
  for (const std::string pattern :
       {R"(\[DEBUG\] run .*virtiofsd --print-capabilities)",
        R"(\[DEBUG\] start virtiofsd-1: .*virtiofsd --fd=3 .*one, "two".*)",
        R"(\[DEBUG\] virtiofsd-1 is process [0-9]+)", R"(\[DEBUG\] start qemu: .* -machine q35,.*)",
        R"(\[DEBUG\] qemu is process [0-9]+)", R"(\[DEBUG\] qmp < \{"QMP":.*)",
        R"(\[DEBUG\] qmp > \{"execute":"qmp_capabilities","id":1\})",
        R"(\[DEBUG\] qmp < \{"return":\{\},"id":1\})",
        R"(\[DEBUG\] \+[0-9]+\.[0-9]{3} s: starting -> booting \(QEMU answered\))",
        R"(\[DEBUG\] \+[0-9.]+ s: booting -> stopping \(the guest powered off: guest-shutdown\))",
        R"(\[DEBUG\] qemu has ended \(exit status 0\))",
        R"(\[DEBUG\] virtiofsd-1 has ended \((exit status 0|signal 15 \(Terminated\))\))",
        R"(\[DEBUG\] \+[0-9.]+ s: stopping -> stopped \((qemu|virtiofsd-1) ended \(.*\)\))"}) {
    CHECK_MESSAGE(has_line(seen.log, pattern), pattern, " in\n", seen.log);
  }
}

TEST_CASE("log: a second run does not ask virtiofsd what it can, unless it died") {
  const FakeHost host;
  const auto asks = [](const auto& run) {
    return run.log.find("--print-capabilities") != std::string::npos;
  };
  CHECK(asks(host.run(verbose_run(host))));
  const auto second = host.run(verbose_run(host));
  CHECK(second.status == 0);
  CHECK_FALSE(asks(second));
  CHECK(second.log.find("start virtiofsd-1") != std::string::npos);
  const auto third = host.run(join(verbose_run(host), {{"FAKE_VIRTIOFSD", "exit-at-once"}}));
  CHECK(third.status == 4);
  CHECK_FALSE(asks(third));
  CHECK(asks(host.run(verbose_run(host))));
}

TEST_CASE("log: nothing of that without LOG_VERBOSE") {
  const FakeHost host;
  const auto seen = host.run(join(verbose_run(host), {{"LOG_VERBOSE", ""}}));
  CHECK(seen.log.find("[DEBUG]") == std::string::npos);
}

TEST_CASE("log: a run in JSON, each line an object") {
  const FakeHost host;
  const auto seen = host.run(join(verbose_run(host), {{"LOG_FORMAT", "json"}}));
  CHECK(seen.status == 0);
  const auto lines = without_time(seen.log);
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  CHECK(has(R"x({"level":"info","message":"The machine runs (accelerator=tcg)"})x"));
  CHECK(has(R"x({"level":"info","message":"The guest powered off"})x"));
  CHECK(has(R"x({"level":"debug","message":"qemu has ended (exit status 0)","process":"qemu"})x"));
  Lines states;
  for (const auto& object : objects_of(seen.log)) {
    if (const auto* state = object.if_contains("state")) {
      states.emplace_back(state->as_string());
    }
  }
  CHECK(states == Lines{"booting", "stopping", "stopped"});
}

TEST_CASE("log: hostile words of children are objects too") {
  const FakeHost host;
  const auto settings = join(host.settings(), {{"LOG_FORMAT", "json"}, {"FAKE_QEMU", "flood"}});
  Launcher launcher(settings);
  REQUIRE(launcher.wait_for_log("The machine runs"));
  launcher.signal(SIGTERM);
  const auto seen = host.finish(launcher);
  CHECK(objects_of(seen.log).size() > 3);
}

TEST_CASE("log: problems before the start are objects, wherever the format is said") {
  const FakeHost host;
  const auto with = [&](const Launcher::Variables& more, const Lines& arguments = {}) {
    return run_launcher(host.settings(more), arguments);
  };
  const auto starts_so = [](const Finished& seen, const std::string& start) {
    CHECK(seen.status == 2);
    const auto lines = without_time(seen.log);
    REQUIRE(lines.size() >= 1);
    CHECK(lines.front().substr(0, start.size()) == start);
  };
  const std::string level = R"({"level":"error","message":)";
  starts_so(with({{"MEMORY", "lots"}, {"LOG_FORMAT", "json"}}), level + "\"MEMORY='lots': ");
  starts_so(with({{"MEMORY", "lots"}}, {"--set", "log_format=json"}), level + "\"MEMORY='lots': ");
  starts_so(with({{"LOG_FORMAT", "json"}}, {"--nonsense"}), level);
  starts_so(with({{"LOG_FORMAT", "json"}}, {"/none/vm.toml"}),
            level + "\"the configuration file '/none/vm.toml' cannot be read\",\"cause\":");
  const auto file = host / "vm.toml";
  write_text(file, "log_format = \"json\"\ncpus = \"lots\"\n");
  starts_so(with({}, {file}), level + "\"CPUS='lots': ");

  const auto unknown = with({{"LOG_FORMAT", "jsn"}});
  CHECK(unknown.status == 2);
  CHECK(unknown.log ==
        "error: LOG_FORMAT='jsn': Invalid value for attribute 'log_format'\n"
        "  from:  LOG_FORMAT (environment)\n"
        "  hint:  did you mean 'json'? one of: text, json\n");
}

TEST_CASE("log: collisions of the user's arguments are told by run and args") {
  const FakeHost host;
  const std::string warning =
      "[WARN] EXTRA_ARGS (environment): '-smp 4' and our '-smp 2' (CPUS): QEMU takes the last; "
      "set CPUS instead\n";
  const auto settings = host.settings({{"EXTRA_ARGS", "-smp 4"}, {"FAKE_QEMU", "poweroff"}});
  CHECK(run_launcher(settings, {"args"}).log == warning);
  const auto seen = host.run({{"EXTRA_ARGS", "-smp 4"}, {"FAKE_QEMU", "poweroff"}});
  CHECK(seen.log.find(warning) != std::string::npos);
}

TEST_CASE("config: prints a file that is read back, on a host without QEMU too") {
  const FakeHost host;
  const auto settings =
      host.settings(join(FakeHost::virtiofs_share(2, host / "it's \"two\""),
                         {{"GUEST_PASSWORD", "s3cr3t"}, {"EXTRA_ARGS", "-no-reboot"}}));
  const auto args = run_launcher(settings, {"args", "--format=json"});
  REQUIRE(args.status == 0);
  const auto printed = run_launcher(settings, {"config", "--show-secrets"});
  CHECK(printed.status == 0);
  const auto file = host / "printed.toml";
  write_text(file, printed.output);
  auto bare = settings;
  for (auto& [name, value] : bare) {
    if (name.starts_with("FILESYSTEM") ||
        printed.output.find(name + " (env") != std::string::npos) {
      value.clear();
    }
  }
  const auto again = run_launcher(bare, {"args", file, "--format=json"});
  CHECK(again.output == args.output);
  CHECK(run_launcher(settings, {"config"}).output.find("s3cr3t") == std::string::npos);

  const auto nothing = run_launcher(join(settings, {{"PATH", "/none"}}), {"config"});
  CHECK(nothing.status == 3);
  CHECK(nothing.output.find("extra_args = [\"-no-reboot\"]") != std::string::npos);
  const auto wrong = run_launcher(join(settings, {{"MEMORY", "lots"}}), {"config"});
  CHECK(wrong.status == 2);
  CHECK(wrong.output.empty());
}
