// SPDX-License-Identifier: MIT
// What programs do with files, over every kind of share, in one boot of a Debian guest.
#include "support/file_work.hpp"

#include "support/guest.hpp"
#include "support/observed_table.hpp"
#include "support/this_machine.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>
#include <unistd.h>
#include <vector>

using namespace vmr::test;

namespace {

/// One kind of share, a column of the table.
struct Kind {
  std::string tag;
  std::string column;
  Trees trees;
  Launcher::Variables settings;
};

/// The last one decides the order of the table's rows.
std::vector<Kind> kinds() {
  return {
      {"vn", "virtiofs, `none`", Trees::no, {{"DRIVER", "virtiofs"}, {"CACHE", "none"}}},
      {"p", "9p", Trees::yes, {{"DRIVER", "9p"}}},
      {"pm", "9p, `metadata`", Trees::no, {{"DRIVER", "9p"}, {"CACHE", "metadata"}}},
      {"pa", "9p, `always`", Trees::no, {{"DRIVER", "9p"}, {"CACHE", "always"}}},
      {"m", "9p, mapped", Trees::no, {{"DRIVER", "9p"}, {"ACCESSMODE", "mapped"}}},
      {"v",
       has_c_virtiofsd() ? "virtiofs (C)" : "virtiofs (Rust)",
       Trees::yes,
       {{"DRIVER", "virtiofs"}}},
  };
}

}  // namespace

TEST_CASE("real file work over every kind of share is as documented") {
  REQUIRE_MESSAGE(::geteuid() == 0, "run this as root: what is promised differs for other users");
  const TemporaryFolder host;
  std::list<FileWork> folders;
  std::vector<std::string> tags;
  auto settings = share(1, {{"SOURCE", file_work_tools},
                            {"TARGET", file_work_tools_tag},
                            {"DRIVER", "9p"},
                            {"READONLY", "1"}});
  for (const auto& kind : kinds()) {
    folders.emplace_back(host / kind.tag, kind.trees);
    tags.push_back(kind.tag);
    const auto number = static_cast<int>(tags.size()) + 1;
    settings = join(settings, share(number, join(kind.settings, {{"SOURCE", host / kind.tag},
                                                                 {"PRIVILEGED_FILES", "1"}})));
  }
  const TextFile data(file_work_user_data(tags));

  const auto seen = observe(run_launcher(join(settings, {{"BASE_IMAGE", test_guest()},
                                                         {"MEMORY", "1024"},
                                                         {"CPUS", "2"},
                                                         {"CLOUD_INIT_USER_DATA", data.path()}})));

  REQUIRE_MESSAGE(seen.status == 0, seen.console);
  CHECK(seen.log_with("mounted in the guest").size() == tags.size() + 1);
  CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
  auto folder = folders.begin();
  for (const auto& kind : kinds()) {
    const bool is_9p = kind.settings.at("DRIVER") == "9p";
    check_observed("file work", kind.column, (folder++)->results(), is_9p ? qemu_generation() : "");
  }
}
