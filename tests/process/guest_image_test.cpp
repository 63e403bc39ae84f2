// SPDX-License-Identifier: MIT
#include "host/guest_image.hpp"

#include "support/fake_host.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("the files of a guest.toml are looked for, each at its line") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "a folder");
  write_text(folder / "guest.toml", "kernel = 'none'\ndisk = 'a folder'\ninitrd = '/dev/null'\n");
  const auto found = find_guest(folder.path());
  const auto place = [&](int line) {
    return fmt::format("({}/guest.toml:{})", folder.path(), line);
  };
  CHECK(found.guest == std::nullopt);
  CHECK(found.problem.empty());
  CHECK(
      found.toml_problems ==
      std::vector<Problem>{
          {"kernel='none': no such file", "kernel " + place(1), "correct the path"},
          {"initrd='/dev/null': not a regular file", "initrd " + place(3), "name the file itself"},
          {"disk='a folder': a directory", "disk " + place(2), "name the file itself"}});
}

TEST_CASE("a guest.toml that is no file is not read") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "guest.toml");
  CHECK(find_guest(folder.path()).problem ==
        "its guest.toml cannot be read: it is no regular file");
  fs::remove(folder / "guest.toml");
  fs::create_symlink("none", folder / "guest.toml");
  CHECK(find_guest(folder.path()).problem ==
        "its guest.toml cannot be read: No such file or directory");
}

TEST_CASE("run and doctor refuse what is no disk, no kernel and no guest.toml") {
  const FakeHost host;
  write_text(host / "page.img", "<!DOCTYPE html>\n<title>404</title>\n");
  const auto page = host.run({{"BASE_IMAGE", host / "page.img"}});
  CHECK(page.status == 2);
  CHECK(page.log ==
        fmt::format("error: BASE_IMAGE='{}': a web page (HTML), not a disk image\n"
                    "  from:  BASE_IMAGE (environment)\n"
                    "  hint:  a web page came instead of the file: download it again, from the "
                    "address of the file itself\n",
                    host / "page.img"));
  const auto kernel = host.run({{"KERNEL", host / "page.img"}});
  CHECK(kernel.status == 2);
  CHECK(kernel.log.starts_with(
      fmt::format("error: KERNEL='{}': a web page (HTML), not a kernel\n", host / "page.img")));
  write_text(host / "guest.toml", "kernel = 'kernel'\narch = 'arm64'\nlogin = 'root'\n");
  const auto guest = host.run();
  CHECK(guest.status == 2);
  CHECK(guest.log ==
        fmt::format("error: arch='arm64': not an architecture\n"
                    "  from:  arch ({0}:2)\n"
                    "  hint:  did you mean 'aarch64'? one of: x86_64, aarch64\n"
                    "error: login: unknown setting\n"
                    "  from:  login ({0}:3)\n"
                    "  hint:  it may have: arch, name, kernel, initrd, disk, cmdline, login_user, "
                    "digest\n",
                    host / "guest.toml"));
  Launcher doctor(host.settings(), {"doctor"});
  const auto told = host.finish(doctor);
  CHECK(told.status == 2);
  CHECK(told.output.find("arch='arm64': not an architecture") != std::string::npos);
}

}  // namespace
}  // namespace vmr::test
