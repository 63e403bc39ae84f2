// SPDX-License-Identifier: MIT
// Every odd character in sources, tags and mount folders, over both transports, in one guest.
#include "base/error.hpp"
#include "base/shell_words.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

struct Row {
  std::string source;  ///< name of the folder
  std::string tag;     ///< for 9p a 9 is added, since a tag is used once
};

/// Busybox's mount cannot take every tag: one that starts with - or has a # is for the Debian
/// guest.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"comma,readonly=on,security_model=none", "a,b"},
      {" two  spaces ", "a b"},
      {"it's \"quoted\"", "a'b\"c"},
      {"new\nline\n- x: y", "$(reboot)"},
      {"%n%s%d", "%n"},
      {"$(touch x)`touch x`;touch x", "`touch x`;touch x"},
      {"back\\slash\\n\\054", "ü"},
      {"größe 日本語 🦀", "a\\040b"},
      {std::string(200, 'l'), "tag: [x], {y: z}"},
      {"-o source=", "*?~"},
  };
  return all;
}

}  // namespace

TEST_CASE("odd characters in sources and tags and mount folders reach the guest as they are") {
  const TemporaryFolder host;
  Launcher::Variables variables;
  std::vector<std::string> mounted;
  std::string script;
  int number = 0;
  const auto add = [&](const std::string& driver, const std::string& source, const std::string& tag,
                       const std::string& mount) {
    const auto path = host / (driver + "/" + source);
    std::filesystem::create_directories(path);
    ++number;
    write_text(path + "/number", std::to_string(number));
    Launcher::Variables settings = {{"SOURCE", path}, {"TARGET", tag}, {"DRIVER", driver}};
    if (mount != "/mnt/" + tag) settings["MOUNT"] = mount;
    variables = join(variables, share(number, settings));
    mounted.push_back(
        fmt::format("[INFO] Filesystem #{}: mounted in the guest at {}", number, mount));
    script +=
        fmt::format("folder={}; cp \"$folder/number\" \"$folder/copy\"\n", vmr::shell_quote(mount));
  };
  for (const auto& row : rows()) {
    add("virtiofs", row.source, row.tag, "/mnt/" + row.tag);
    add("9p", row.source, row.tag + "9", "/mnt/" + row.tag + "9");
  }
  add("virtiofs", "mount", "mounted", "/srv/my data/$(reboot) %s 'x' \"ü\"");
  add("9p", "mount", "mounted9", "/srv/my data9/-x, y");

  const auto seen = boot(variables, script + "find / -xdev -name x -exec echo SAY: {} \\;\n");

  CHECK(seen.status == 0);
  CHECK(seen.said == std::vector<std::string>{});
  for (const auto& line : mounted) {
    CAPTURE(line);
    CHECK(seen.log_with(line).size() == 1);
  }
  CHECK(seen.log_with("mounted in the guest at").size() == mounted.size());
  for (int i = 1; i <= number; ++i) {
    const auto prefix = i == 1 ? std::string("FILESYSTEM") : fmt::format("FILESYSTEM{}", i);
    const auto source = variables.at(prefix + "_SOURCE");
    CAPTURE(source);
    CHECK(read_file(source + "/copy") == std::to_string(i));
  }
  CHECK_FALSE(std::filesystem::exists("x"));
}

TEST_CASE("a share that the guest cannot mount is named with its reason and the others go on") {
  const TemporaryFolder host;
  const auto seen =
      boot(join(share(1, {{"SOURCE", host / "one"}, {"MOUNT", "/init"}}),
                join(share(2, {{"SOURCE", host / "two"}, {"DRIVER", "9p"}, {"MOUNT", "/init/x"}}),
                     share(3, {{"SOURCE", host / "three"}}))),
           "echo x > /mnt/three/file\n");
  CHECK(seen.status == 0);
  CHECK(read_file(host / "three/file") == "x\n");
  CHECK(seen.log_with("mounted in the guest") ==
        std::vector<std::string>{
            "[ERROR] Filesystem #1: not mounted in the guest at /init: mkdir: can't create "
            "directory '/init': File exists (the guest has a file there: choose another "
            "folder with FILESYSTEM_MOUNT)",
            "[ERROR] Filesystem #2: not mounted in the guest at /init/x: mkdir: can't create "
            "directory '/init/': Not a directory (the guest has a file there: choose another "
            "folder with FILESYSTEM2_MOUNT)",
            "[INFO] Filesystem #3: mounted in the guest at /mnt/three"});
}
