// SPDX-License-Identifier: MIT
// Whole runs of the pure part: tests/golden/<case>/{env,config.toml,host.toml} and what comes of
// them. UPDATE_GOLDEN=1 in the environment writes the expected files anew; look at the difference
// before you commit it.
#include "support/golden.hpp"

#include "base/printable.hpp"
#include "config/load.hpp"
#include "plan/plan_text.hpp"
#include "plan/seed.hpp"
#include "support/judge.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

std::string plan_file(const LaunchPlan& plan) {
  std::string text;
  for (const auto& share : plan.shares) text += on_one_line(describe(share.share)) + "\n";
  for (const auto& folder : plan.create_folders) text += fmt::format("make folder {}\n", folder);
  if (plan.persistent_disk) {
    text += fmt::format("make disk {} {} {}\n", plan.persistent_disk->persistent,
                        plan.persistent_disk->is_copy ? "as a copy of" : "over",
                        plan.persistent_disk->image);
  }
  for (const auto& attempt : plan.attempts) {
    text += fmt::format("\n## under {}\n{}", word_for(attempt.accelerator),
                        as_lines(parts_of(plan, attempt), {}, attempt.process.argv.front()));
  }
  return text;
}

/// The vendor-data without the part of the mount script that is the same for all shares.
std::string without_functions(std::string vendor_data) {
  const auto script = mount_script({});
  const auto same = script.substr(0, script.find("report 'done'"));
  const auto at = vendor_data.find(same);
  if (at != vendor_data.npos) vendor_data.replace(at, same.size(), "(functions)\n");
  return vendor_data;
}

/// What a plan or refusal leaves to compare.
Files outcome_of(const Files& inputs) {
  const auto [environment, file, host] = golden_inputs(inputs);
  auto loaded = load_config({}, environment, file);
  const auto resolved = resolve(loaded.config, host);
  Files outcome;
  const auto add_all = [&](const std::string& name, const Strings& lines) {
    for (const auto& line : lines) outcome[name] += on_one_line(line) + "\n";
  };
  add_all("warnings", loaded.warnings);
  add_all("warnings", resolved.warnings);
  add_all("notes", resolved.notes);

  auto problems = loaded.problems;
  problems.insert(problems.end(), resolved.problems.begin(), resolved.problems.end());
  if (!problems.empty()) {
    for (const auto& problem : problems) outcome["problems"] += format(problem);
    outcome["problems"] +=
        fmt::format("exit status {}\n", static_cast<int>(exit_status_of(problems)));
    return outcome;
  }
  const auto plan = make_plan(resolved.spec, host);
  outcome["plan"] = plan_file(plan);
  if (plan.seed) {
    outcome["meta-data"] = plan.seed->meta_data;
    outcome["user-data"] = plan.seed->user_data;
    outcome["vendor-data"] = without_functions(plan.seed->vendor_data);
  }
  return outcome;
}

/// Makes the expected files of `folder` those of `outcome`.
void update(const fs::path& folder, const Files& files, const Files& outcome) {
  for (const auto& [name, text] : files) {
    if (!is_golden_input(name) && !outcome.contains(name)) fs::remove(folder / name);
  }
  for (const auto& [name, text] : outcome) write_text(folder / name, text);
}

TEST_CASE("golden cases") {
  const bool updating = std::getenv("UPDATE_GOLDEN") != nullptr;
  const auto folders = golden_folders();
  CHECK(folders.size() >= 12);
  for (const auto& folder : folders) {
    INFO("case ", folder.filename().string(), "; UPDATE_GOLDEN=1 writes what it is now");
    auto files = read_files(folder);
    const auto outcome = outcome_of(files);
    if (updating) {
      update(folder, files, outcome);
      files = read_files(folder);
    }
    std::erase_if(files, [](const auto& file) { return is_golden_input(file.first); });

    Strings expected_names;
    for (const auto& [name, text] : files) expected_names.push_back(name);
    Strings names;
    for (const auto& [name, text] : outcome) {
      names.push_back(name);
      CAPTURE(name);
      CHECK(text == files[name]);
    }
    CHECK(Argv{names} == Argv{expected_names});
  }
}

}  // namespace
}  // namespace vmr::test
