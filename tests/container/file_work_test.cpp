// SPDX-License-Identifier: MIT
// What programs do with files, over the virtiofsd of Debian 13.
#include "support/file_work.hpp"

#include "support/container.hpp"
#include "support/guest.hpp"
#include "support/observed_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <unistd.h>
#include <vector>

using namespace vmr::test;

TEST_CASE("real file work over the Rust virtiofsd is as documented") {
  if (!has_docker()) return;
  REQUIRE_MESSAGE(::geteuid() == 0, "run this as root: what is promised differs for other users");
  const TemporaryFolder host;
  const FileWork folder(host / "v", Trees::yes);
  const TextFile data(file_work_user_data({"v"}));
  const auto settings =
      join({{"BASE_IMAGE", "/guest"},
            {"MEMORY", "1024"},
            {"CPUS", "2"},
            {"SSH_PORT", "0"},
            {"CLOUD_INIT_USER_DATA", "/user-data"}},
           join(share(1, {{"SOURCE", "/tools"}, {"DRIVER", "9p"}, {"READONLY", "1"}}),
                share(2, {{"SOURCE", "/shares/v"}, {"PRIVILEGED_FILES", "1"}})));
  std::vector<std::string> words = {"run", "--rm",
                                    "-v",  test_guest() + ":/guest:ro",
                                    "-v",  data.path() + ":/user-data:ro",
                                    "-v",  std::string(file_work_tools) + ":/tools:ro",
                                    "-v",  host.path() + ":/shares"};
  for (const auto& [name, value] : settings) {
    words.insert(words.end(), {"-e", name + "=" + value});
  }
  words.push_back(built_image());

  const auto run = run_docker(words);

  REQUIRE_MESSAGE(run.ok, run.output << run.errors);
  check_observed("file work", "virtiofs (Rust)", folder.results());
}
