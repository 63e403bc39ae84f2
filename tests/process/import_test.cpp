// SPDX-License-Identifier: MIT
// `vm-runner import`: what is on which stream, and the exit status.
#include "support/guest.hpp"
#include "support/launcher.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

using namespace vmr::test;

namespace {

const std::string domain =
    "<domain type='qemu'>\n"
    "  <name>x</name>\n"
    "  <os><type arch='x86_64'>hvm</type><kernel>/boot/vmlinuz</kernel></os>\n"
    "  <devices>\n"
    "    <graphics type='vnc'/>\n"
    "    <filesystem><source dir='/srv/a'/><target dir='a'/></filesystem>\n"
    "    <interface type='user'/>\n"
    "  </devices>\n"
    "</domain>\n";

const std::string toml =
    "guest_name = \"x\"\n"
    "accel = \"tcg\"\n"
    "cpus = 1\n"
    "arch = \"x86_64\"\n"
    "kernel = \"/boot/vmlinuz\"\n"
    "\n"
    "[[share]]\n"
    "source = \"/srv/a\"\n"
    "target = \"a\"\n"
    "driver = \"9p\"\n";

const std::string untold =
    "[INFO] 1 more part is not carried over and hardly matters here: import --verbose tells\n";

void check(const Finished& finished, int status, const std::string& output,
           const std::string& log) {
  CHECK(finished.status == status);
  CHECK(finished.output == output);
  CHECK(finished.log == log);
}

Finished import_from(const std::string& stdin_file) {
  StartDetails details;
  details.before_exec = [&] { ::dup2(::open(stdin_file.c_str(), O_RDONLY), STDIN_FILENO); };
  Launcher launcher({}, {"import", "-"}, details);
  return launcher.finish();
}

}  // namespace

TEST_CASE("import prints settings on standard output, and what is lost on standard error") {
  const TextFile file(domain);
  check(run_launcher({}, {"import", file.path()}), 0, toml, untold);
  check(run_launcher({}, {"import", file.path(), "--verbose"}), 0, toml,
        fmt::format("[WARN] {}:5: <graphics type='vnc'>: not carried over: the machine has no "
                    "display, only its serial console; devices of QEMU's go into EXTRA_ARGS\n",
                    file.path()));
  check(import_from(file.path()), 0, toml, untold);
}

TEST_CASE("import: what it prints is a configuration file") {
  const TemporaryFolder folder;
  const TextFile file(domain);
  write_text(folder / "vmlinuz", std::string(0x202, '\0') + "HdrS");
  std::filesystem::create_directories(folder / "a");
  write_text(folder / "vm.toml", run_launcher({}, {"import", file.path()}).output);
  const auto args = run_launcher(
      {}, {"args", folder / "vm.toml", "--format=lines", "--set", "KERNEL=" + (folder / "vmlinuz"),
           "--set", "FILESYSTEM_SOURCE=" + (folder / "a")});
  CHECK_MESSAGE(args.status == 0, args.log);
  CHECK(args.output.find("security_model=passthrough") != std::string::npos);
}

TEST_CASE("import: files that are no domain") {
  const TemporaryFolder folder;
  const auto path = folder / "d.xml";
  const auto refused = [&](const std::string& text, const std::string& place,
                           const std::string& cause, const std::string& hint) {
    write_text(path, text);
    check(run_launcher({}, {"import", path}), 2, "",
          fmt::format("error: {}{}: not the XML of a libvirt domain\n  cause: {}\n  hint:  {}\n",
                      path, place, cause, hint));
  };
  refused("", ":1:1", "No document element found", "correct the XML there");
  refused("memory = 4096\n", ":2:1", "No document element found", "correct the XML there");
  refused("<domain>\n</os></domain>", ":2:3", "Start-end tags mismatch", "correct the XML there");
  refused(std::string(std::size_t{3} * 1024 * 1024, ' '), "", "it is larger than 1 MiB",
          "give what 'virsh dumpxml' prints of one domain");
  const auto unreadable = [&](const std::string& name, const std::string& cause) {
    check(run_launcher({}, {"import", name}), 2, "",
          fmt::format("error: the domain '{}' cannot be read\n  cause: {}\n  hint:  correct the "
                      "path, or give - for standard input\n",
                      name, cause));
  };
  unreadable(folder / "none.xml", "No such file or directory");
  unreadable(folder.path(), "Is a directory");
}

TEST_CASE("import: a file without an end is read no further than needed") {
  const auto finished = import_from("/dev/zero");
  CHECK(finished.status == 2);
  CHECK(finished.log.find("it is larger than 1 MiB") != std::string::npos);
}

TEST_CASE("import: a standard output that is full") {
  const TextFile file(domain);
  StartDetails details;
  details.before_exec = [] { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); };
  Launcher launcher({}, {"import", file.path()}, details);
  const auto finished = launcher.finish();
  CHECK(finished.status == 1);
  CHECK(finished.log.find("error: standard output cannot be written\n  cause: No space left on "
                          "device\n") != std::string::npos);
}
