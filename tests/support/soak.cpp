// SPDX-License-Identifier: MIT
#include "support/soak.hpp"

#include "base/log.hpp"
#include "config/load.hpp"
#include "host/probe.hpp"
#include "plan/launch_plan.hpp"
#include "run/runtime_folder.hpp"
#include "run/session.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <malloc.h>
#include <sys/wait.h>

namespace vmr::test {
namespace {

/// What a leak would raise.
struct Usage {
  int descriptors = 0;
  bool has_children = false;
  std::size_t bytes = 0;  ///< on the heap; 0 with AddressSanitizer
};

Usage usage_now() {
  siginfo_t info{};
  const bool has_children = ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0;
  return {count_descriptors(), has_children, ::mallinfo2().uordblks};
}

LaunchPlan plan_for(const Launcher::Variables& settings) {
  std::vector<std::string> environment;
  for (const auto& [name, value] : settings) {
    ::setenv(name.c_str(), value.c_str(), 1);
    environment.push_back(name + "=" + value);
  }
  const auto config = load_config({}, environment, {}).config;
  const auto host = probe_host(config);
  const auto resolved = resolve(config, host);
  for (const auto& problem : resolved.problems) FAIL_CHECK(problem.message);
  return make_plan(resolved.spec, host);
}

}  // namespace

void soak(const Launcher::Variables& settings, int cycles) {
  auto plan = plan_for(settings);
  // This process goes on.
  plan.locks_down = false;
  set_log_level(LogLevel::error);
  Usage warm;
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    CAPTURE(cycle);
    {
      RuntimeFolder folder(plan.paths.folder, plan.vm_name);
      REQUIRE(run_session(plan, {}) == ExitStatus::ok);
    }
    if (cycle == cycles / 2) warm = usage_now();
  }
  const auto end = usage_now();
  CHECK(end.descriptors == warm.descriptors);
  CHECK_FALSE(end.has_children);
  // What malloc keeps for itself grows a little for some hundred cycles; a leak grows with each.
  CHECK(end.bytes < warm.bytes + 4096 + 16 * static_cast<std::size_t>(cycles));
}

}  // namespace vmr::test
