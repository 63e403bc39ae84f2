// SPDX-License-Identifier: MIT
#include "config/guest_toml.hpp"

#include <doctest/doctest.h>

using namespace vmr;
using Problems = std::vector<Problem>;

namespace {

GuestToml read(const std::string& text) {
  return read_guest_toml(text, "/g/guest.toml");
}

}  // namespace

TEST_CASE("a guest.toml with everything") {
  const auto guest = read(
      "name = \"Debian, 'ü'\"\narch = \"aarch64\"\nkernel = \"k\"\ninitrd = \"i\"\n"
      "disk = \"d\"\ncmdline = \"a=\\\"b c\\\" %\"\nlogin_user = \"debian\"\ndigest = "
      "\"sha256:0\"\n");
  CHECK(guest.problems == Problems{});
  CHECK(guest.name == Given<std::string>{"Debian, 'ü'", {Source::file, "name", "/g/guest.toml:1"}});
  CHECK(guest.architecture.value == Architecture::aarch64);
  CHECK(guest.kernel.value == "k");
  CHECK(guest.initrd.value == "i");
  CHECK(guest.disk == Given<std::string>{"d", {Source::file, "disk", "/g/guest.toml:5"}});
  CHECK(guest.cmdline.value == "a=\"b c\" %");
  CHECK(guest.login_user.value == "debian");
  CHECK(guest.digest.value == "sha256:0");
}

TEST_CASE("a guest.toml is refused as any other file is") {
  const std::string known = "arch, name, kernel, initrd, disk, cmdline, login_user, digest";
  const std::string strings = "write it in quotes: ";
  const std::string without_kernel = "set kernel to a file beside it, or leave it out";
  const std::vector<std::pair<std::string, Problems>> table = {
      {"kernel = 'k'\nintird = 'i'",
       {{"intird: unknown setting", "intird (/g/guest.toml:2)", "did you mean initrd?"}}},
      {"kernel = 'k'\nmemory = '1G'",
       {{"memory: unknown setting", "memory (/g/guest.toml:2)", "it may have: " + known}}},
      {"kernel = 'k'\n[more]\nx = 1",
       {{"more: unknown setting", "more (/g/guest.toml:2)", "it may have: " + known}}},
      {"kernel = ['k']",
       {{"kernel: not a string", "kernel (/g/guest.toml:1)", strings + "kernel = \"…\""}}},
      {"kernel = 'k'\ncmdline = 7\ndisk = true",
       {{"cmdline: not a string", "cmdline (/g/guest.toml:2)", strings + "cmdline = \"…\""},
        {"disk: not a string", "disk (/g/guest.toml:3)", strings + "disk = \"…\""}}},
      {"kernel = 'k'\narch = 3",
       {{"arch: not a string", "arch (/g/guest.toml:2)", strings + "arch = \"…\""}}},
      {"kernel = 'k'\narch = 'arm64'",
       {{"arch='arm64': not an architecture", "arch (/g/guest.toml:2)",
         "did you mean 'aarch64'? one of: x86_64, aarch64"}}},
      {"kernel = 'k'\narch = 'auto'",
       {{"arch='auto': not an architecture", "arch (/g/guest.toml:2)", "one of: x86_64, aarch64"}}},
      {"kernel = 'k'\narch = ''",
       {{"arch='': not an architecture", "arch (/g/guest.toml:2)", "one of: x86_64, aarch64"}}},
      {"kernel = 'k'\ncmdline = \"a\\u0000b\"",
       {{"cmdline: contains a NUL character", "cmdline (/g/guest.toml:2)",
         "leave the character out"}}},
      {"name = 'x'",
       {{"it names neither a kernel nor a disk", "/g/guest.toml",
         "set kernel or disk to a file beside it"}}},
      {"initrd = 'i'\ndisk = 'd'",
       {{"initrd='i': only used with a kernel, and the file names none", "initrd (/g/guest.toml:1)",
         without_kernel}}},
      {"disk = 'd'\ncmdline = 'quiet'\ninitrd = 'i'",
       {{"initrd='i': only used with a kernel, and the file names none", "initrd (/g/guest.toml:3)",
         without_kernel},
        {"cmdline='quiet': only used with a kernel, and the file names none",
         "cmdline (/g/guest.toml:2)", without_kernel}}},
      {"cmdline = 'quiet'",
       {{"cmdline='quiet': only used with a kernel, and the file names none",
         "cmdline (/g/guest.toml:1)", without_kernel}}},
      {"disk = 'd'\ninitrd = ''\ncmdline = ''", {}},
      {"disk = 'd'\ninitrd = 'i'\nkernel = 7",
       {{"kernel: not a string", "kernel (/g/guest.toml:3)", strings + "kernel = \"…\""}}},
      {"kernel = 'k'\n\narch = x86_64",
       {{"/g/guest.toml: Error while parsing value: could not determine value type",
         "/g/guest.toml:3:8", "correct the TOML there"}}}};
  for (const auto& [text, problems] : table) {
    CAPTURE(text);
    CHECK(read(text).problems == problems);
  }
}
