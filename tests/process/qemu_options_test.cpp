// SPDX-License-Identifier: MIT
// The real programs read what we write for them: hostile folders stay whole.
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "plan/qemu_plan.hpp"
#include "plan/share_plan.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

Strings ninep_arguments(int number, const std::string& source) {
  Share share;
  share.number = number;
  share.tag = "tag" + std::to_string(number);
  share.source = source;
  share.driver = Driver::ninep;
  share.accessmode = AccessMode::squash;
  return plan_share(share, static_cast<std::size_t>(number - 1), docker_host(), "/unused")
      .qemu_arguments;
}

/// A QEMU that opens its shares and quits before the guest runs.
Captured try_qemu(const Strings& share_arguments) {
  Strings argv = {find_in_path("qemu-system-x86_64"),
                  "-nodefaults",
                  "-no-user-config",
                  "-display",
                  "none",
                  "-machine",
                  "q35",
                  "-accel",
                  "tcg",
                  "-m",
                  "16M",
                  "-S",
                  "-qmp",
                  "stdio"};
  REQUIRE_FALSE(argv.front().empty());
  argv.insert(argv.end(), share_arguments.begin(), share_arguments.end());
  return capture(argv, R"({"execute":"qmp_capabilities"}{"execute":"quit"})");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

TEST_CASE("QEMU opens every hostile folder") {
  const TemporaryFolder temporary;
  Strings arguments;
  int number = 0;
  for (const auto& name : hostile_names()) {
    const auto source = temporary / name;
    fs::create_directory(source);
    const auto more = ninep_arguments(++number, source);
    arguments.insert(arguments.end(), more.begin(), more.end());
  }
  const auto result = try_qemu(arguments);
  CHECK(result.errors == "");
  CHECK(result.ok);
}

TEST_CASE("QEMU names the hostile folder that is not there") {
  const TemporaryFolder temporary;
  const auto source = temporary / "a,b=c,,readonly=off";
  const auto result = try_qemu(ninep_arguments(1, source));
  CHECK_FALSE(result.ok);
  CHECK(has(result.errors, "failed to open '" + source + "': No such file or directory"));
}

TEST_CASE("QEMU opens a hostile disk and names a hostile kernel that is not there") {
  const TemporaryFolder temporary;
  const auto name = "a,b=c,,format=x 'd' \"e\"\n$(x) %s \\ \xc3\xbc";
  VmSpec spec;
  spec.name = "vm";
  spec.memory_mib = 16;
  spec.cpus = 1;
  spec.machine = "q35";
  spec.disk = Disk{temporary / name, "raw", ""};
  const auto try_spec = [&] {
    Strings arguments;
    for (const auto& group : plan_qemu(spec, Accelerator::tcg, "", {}, {}).groups) {
      if (group.name != "boot" && group.name != "disk") continue;
      arguments.insert(arguments.end(), group.arguments.begin(), group.arguments.end());
    }
    return try_qemu(arguments);
  };
  CHECK(has(try_spec().errors,
            "Could not open '" + spec.disk->image + "': No such file or directory"));
  write_text(spec.disk->image, std::string(4096, '\0'));
  const auto opened = try_spec();
  CHECK(opened.errors == "");
  CHECK(opened.ok);

  spec.boot.kernel = temporary / (std::string(name) + ".kernel");
  CHECK(has(try_spec().errors, "could not open kernel file '" + spec.boot.kernel + "'"));
}

TEST_CASE("a comma that is not doubled breaks out") {
  const TemporaryFolder temporary;
  const auto source = temporary / "a,b";
  fs::create_directory(source);
  auto arguments = ninep_arguments(1, source);
  auto& fsdev = arguments.at(1);
  const auto comma = fsdev.find("a,,b");
  REQUIRE(comma != fsdev.npos);
  fsdev.replace(comma, 4, "a,b");
  const auto result = try_qemu(arguments);
  CHECK_FALSE(result.ok);
  CHECK(has(result.errors, "Invalid parameter 'b'"));
}

TEST_CASE("the C virtiofsd names the hostile folder that is not there") {
  std::string problem;
  const auto facts = find_virtiofsd("/nonexistent", problem);
  if (!facts || facts->family != VirtiofsdFacts::Family::c) {
    MESSAGE("skipped: the virtiofsd here is not the C one");
    return;
  }
  auto host = docker_host();
  host.virtiofsd = facts;
  const TemporaryFolder temporary;
  for (const auto& name : hostile_names()) {
    Share share;
    share.source = temporary / name;
    share.sandbox = Sandbox::chroot;
    const auto result = capture(plan_share(share, 0, host, "/unused").helper.value().argv);
    CHECK_FALSE(result.ok);
    CHECK(has(result.errors,
              "failed to stat source (\"" + share.source + "\"): No such file or directory"));
  }
}

}  // namespace
}  // namespace vmr::test
