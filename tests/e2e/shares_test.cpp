// SPDX-License-Identifier: MIT
// Every transport and access mode that can write, in one guest.
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace vmr::test;

namespace {

struct Row {
  std::string tag;
  std::string driver;
  std::string accessmode;
  mode_t mode;                ///< of the shared folder
  std::string made_by_root;   ///< what the host then sees
  std::string made_by_guest;  ///< made by the guest's user 1000
  std::string folder;         ///< the shared folder itself
};

}  // namespace

TEST_CASE("shares read and write both ways with the promised owners") {
  REQUIRE_MESSAGE(::geteuid() == 0, "run this as root: the promises differ for other users");
  const std::vector<Row> rows = {
      {"v", "virtiofs", "passthrough", 01777, "0:0 0644 'by root v\n'",
       "1000:1000 0640 'by guest v\n'", "0:0 1777 ''"},
      {"p", "9p", "passthrough", 01777, "0:0 0644 'by root p\n'", "1000:1000 0640 'by guest p\n'",
       "0:0 1777 ''"},
      {"m", "9p", "mapped", 0755, "0:0 0644 'by root m\n' guest-uid=0 guest-gid=0 guest-mode=0644",
       "0:0 0644 'by guest m\n' guest-uid=1000 guest-gid=1000 guest-mode=0640",
       "0:0 0755 '' guest-mode=0777"},
      {"s", "9p", "squash", 01777, "0:0 0644 'by root s\n'", "1000:1000 0640 'by guest s\n'",
       "0:0 1777 ''"},
  };
  const TemporaryFolder host;
  Launcher::Variables variables;
  std::string script;
  std::vector<std::string> announced;
  std::vector<std::string> mounted;
  std::vector<std::string> said;
  int number = 0;
  for (const auto& row : rows) {
    const auto source = host / row.tag;
    ::mkdir(source.c_str(), 0700);
    ::chmod(source.c_str(), row.mode);
    write_text(source + "/from-host", "from the host " + row.tag);
    variables =
        join(variables,
             share(++number,
                   {{"SOURCE", source}, {"DRIVER", row.driver}, {"ACCESSMODE", row.accessmode}}));
    announced.push_back(fmt::format(
        "[INFO] Filesystem #{}: {} -> guest tag '{}' (read-write, driver={}, accessmode={}, "
        "mount=/mnt/{})",
        number, source, row.tag, row.driver, row.accessmode, row.tag));
    mounted.push_back(
        fmt::format("[INFO] Filesystem #{}: mounted in the guest at /mnt/{}", number, row.tag));
    said.push_back("from the host " + row.tag);
    script += fmt::format(
        "cd /mnt/{0}\n"
        "say \"$(cat from-host)\"\n"
        "umask 022; echo 'by root {0}' > root\n"
        "su guest -c \"umask 027; echo 'by guest {0}' > guest\"\n",
        row.tag);
  }

  const auto seen = boot(variables, script);

  CHECK(seen.status == 0);
  CHECK(seen.said == said);
  CHECK(seen.log_with("-> guest tag") == announced);
  // The guest mounts a folder before those below it, which means in the order of their names.
  CHECK(seen.log_with("mounted in the guest").size() == mounted.size());
  for (const auto& line : mounted) CHECK(seen.log_with(line) == std::vector{line});
  CHECK(seen.log_with("[WARN]") == std::vector<std::string>{});
  CHECK(seen.log_with("[ERROR]") == std::vector<std::string>{});
  for (const auto& row : rows) {
    CAPTURE(row.tag);
    CHECK(describe_file(host / row.tag + "/root") == row.made_by_root);
    CHECK(describe_file(host / row.tag + "/guest") == row.made_by_guest);
    CHECK(describe_file(host / row.tag) == row.folder);
  }
}

TEST_CASE("a missing source is made and a share without a name of its own gets its source name") {
  const TemporaryFolder host;
  const auto source = host / "new folder";
  const auto seen = boot(share(1, {{"SOURCE", source}, {"DRIVER", "9p"}}),
                         "echo here > '/mnt/new folder/file'\n");
  CHECK(seen.status == 0);
  CHECK(read_file(source + "/file") == "here\n");
  CHECK(seen.log_with("Made the folder") == std::vector{"[INFO] Made the folder " + source});
  CHECK(seen.log_with("mounted in the guest") ==
        std::vector<std::string>{"[INFO] Filesystem #1: mounted in the guest at /mnt/new folder"});
}
