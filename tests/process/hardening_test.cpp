// SPDX-License-Identifier: MIT
// What the linker and the compiler have put into the program against those who find a fault in it.
#include "build_paths.hpp"
#include "host/capture.hpp"
#include "support/text_file.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace json = boost::json;

namespace {

/// What is told of a program by its file.
struct Hardening {
  bool position_independent = false;
  bool relocations_read_only = false;  ///< RELRO, and all of them resolved at the start
  bool stack_not_executable = false;
  bool stack_protected = false;
  bool calls_checked = false;    ///< some calls of the C library have become their *_chk kind
  bool branches_marked = false;  ///< main begins with what an indirect branch may lead to

  bool operator==(const Hardening&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Hardening& is) {
  return out << "position_independent=" << is.position_independent
             << " relocations_read_only=" << is.relocations_read_only
             << " stack_not_executable=" << is.stack_not_executable
             << " stack_protected=" << is.stack_protected << " calls_checked=" << is.calls_checked
             << " branches_marked=" << is.branches_marked;
}

std::string output_of(const std::vector<std::string>& command) {
  const auto result = vmr::capture(command);
  CHECK_MESSAGE(result.ok, command.front(), ": ", result.errors);
  return result.output;
}

/// Whether a line of `text` has all of `parts`.
bool has_line(const std::string& text, const std::vector<std::string>& parts) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (std::all_of(parts.begin(), parts.end(),
                    [&](const auto& part) { return line.find(part) != line.npos; })) {
      return true;
    }
  }
  return false;
}

Hardening hardening_of(const std::string& program) {
  const auto facts = output_of({"/usr/bin/readelf", "--wide", "--file-header", "--program-headers",
                                "--dynamic", "--symbols", program});
  const auto code =
      output_of({"/usr/bin/objdump", "--disassemble=main", "--no-show-raw-insn", program});
  Hardening is;
  is.position_independent =
      has_line(facts, {"Type:", "DYN"}) && has_line(facts, {"(FLAGS_1)", "PIE"});
  is.relocations_read_only =
      has_line(facts, {"GNU_RELRO"}) && has_line(facts, {"(FLAGS)", "BIND_NOW"});
  is.stack_not_executable =
      has_line(facts, {"GNU_STACK", " RW "}) && !has_line(facts, {"GNU_STACK", "RWE"});
  is.stack_protected = has_line(facts, {"UND", "__stack_chk_fail"});
  is.calls_checked = has_line(facts, {"UND", "_chk@GLIBC"});
  is.branches_marked = has_line(code, {"endbr64"}) || has_line(code, {"paciasp"});
  return is;
}

/// The commands that compile our own sources, without what CMake adds for the tests.
std::vector<std::string> compile_commands() {
  std::vector<std::string> commands;
  const auto all = json::parse(vmr::test::read_text(BUILD_FOLDER "/compile_commands.json"));
  for (const auto& unit : all.as_array()) {
    const std::string file(unit.at("file").as_string());
    if (file.starts_with(SOURCE_FOLDER "/src/"))
      commands.emplace_back(unit.at("command").as_string());
  }
  return commands;
}

#ifdef __aarch64__
constexpr auto branch_flag = " -mbranch-protection=standard ";
#else
constexpr auto branch_flag = " -fcf-protection ";
#endif

}  // namespace

// The mark of the whole program (`readelf -n`: IBT, SHSTK) is not asked for: the linker sets it
// only when every object has it, and those of the C library's start that Debian ships have not.
TEST_CASE("the program is hardened") {
  if (!HARDENED) {
    MESSAGE("SKIPPED: hardened is what is built with optimization and without sanitizers");
    return;
  }
  CHECK(hardening_of(VM_RUNNER) == Hardening{true, true, true, true, true, true});
}

TEST_CASE("every source is compiled with the flags that harden") {
  if (!HARDENED) {
    MESSAGE("SKIPPED: hardened is what is built with optimization and without sanitizers");
    return;
  }
  const auto commands = compile_commands();
  CHECK(commands.size() > 100);
  for (const auto& command : commands) {
    CAPTURE(command);
    for (const std::string flag :
         {" -fstack-protector-strong ", " -fstack-clash-protection ", " -U_FORTIFY_SOURCE ",
          " -D_FORTIFY_SOURCE=3 ", " -D_GLIBCXX_ASSERTIONS ", branch_flag}) {
      CHECK_MESSAGE(command.find(flag) != command.npos, flag);
    }
    CHECK((command.find(" -fPIE ") != command.npos || command.find(" -fPIC ") != command.npos));
  }
}

// Each would be looked for, and could be another's, at every start.
TEST_CASE("the program loads no library but the C library's") {
  if (!HARDENED) {
    MESSAGE("SKIPPED: libraries are linked in where sanitizers are not");
    return;
  }
  std::vector<std::string> loaded;
  std::istringstream lines(output_of({"/usr/bin/readelf", "--wide", "--dynamic", VM_RUNNER}));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(NEEDED)") == line.npos) continue;
    const auto start = line.find('[') + 1;
    loaded.push_back(line.substr(start, line.find('.') - start));
  }
  for (const auto& library : loaded) {
    CAPTURE(library);
    CHECK((library == "libc" || library == "libm" || library.starts_with("ld-linux")));
  }
  CHECK_FALSE(loaded.empty());
}

// A program for the guest: static, at a fixed address, and so without all that.
TEST_CASE("a program that is not hardened is told apart") {
  if (std::string(PROBE_SHARE).empty()) {
    MESSAGE("SKIPPED: there is no such program where sanitizers are built in");
    return;
  }
  const auto is = hardening_of(PROBE_SHARE);
  CHECK_FALSE(is.position_independent);
  CHECK_FALSE(is.relocations_read_only);
  CHECK_FALSE(is.stack_protected);
  CHECK_FALSE(is.calls_checked);
}
