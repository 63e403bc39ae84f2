// SPDX-License-Identifier: MIT
#include "host/program_answers.hpp"

#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"
#include "support/variable.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// A program that prints what the environment has for the word it is asked with, and a cache.
struct Asked {
  explicit Asked(const std::string& name = "program") : program(folder / name) {
    fs::copy_file("/usr/bin/printenv", program);
    fs::create_directory(folder / "cache");
  }

  /// What it is said to print while its environment has `now`.
  [[nodiscard]] std::string answer(const std::string& now) const {
    const Variable variable("ANSWER", now);
    const Variable cache("XDG_CACHE_HOME", folder / "cache");
    return ProgramAnswers("/nonexistent").ask(program, "ANSWER").output;
  }

  /// The files of the cache.
  [[nodiscard]] std::vector<std::string> kept() const {
    std::vector<std::string> files;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder / "cache/vm-runner/programs", missing)) {
      files.push_back(entry.path().string());
    }
    return files;
  }

  TemporaryFolder folder;
  const std::string program;
};

TEST_CASE("a program is asked once") {
  const Asked asked;
  CHECK(asked.answer("one") == "one\n");
  CHECK(asked.answer("two") == "one\n");
  CHECK(asked.kept().size() == 1);
}

TEST_CASE("a program that has changed is asked again") {
  SUBCASE("at another time") {
    const Asked asked;
    CHECK(asked.answer("one") == "one\n");
    fs::last_write_time(asked.program, fs::last_write_time(asked.program) - std::chrono::hours(1));
    CHECK(asked.answer("two") == "two\n");
    CHECK(asked.answer("three") == "two\n");
    CHECK(asked.kept().size() == 1);
  }
  SUBCASE("in size") {
    const Asked asked;
    CHECK(asked.answer("one") == "one\n");
    const auto time = fs::last_write_time(asked.program);
    write_text(asked.program, read_text(asked.program) + "\n");
    fs::last_write_time(asked.program, time);
    CHECK(asked.answer("two") == "two\n");
  }
}

TEST_CASE("an answer is kept apart for each question") {
  const Asked asked;
  const Variable cache("XDG_CACHE_HOME", asked.folder / "cache");
  const Variable one("ONE", "1");
  const Variable two("TWO", "2");
  const ProgramAnswers answers("/nonexistent");
  for (int again = 0; again < 2; ++again) {
    CHECK(answers.ask(asked.program, "ONE").output == "1\n");
    CHECK(answers.ask(asked.program, "TWO").output == "2\n");
  }
}

TEST_CASE("whatever the name of the program is, its answer is kept") {
  for (const auto* name : {"a, b=%s", "'quoted\" \\", "new\nline", "\xc3\xbc\xf0\x9f\x90\xa7"}) {
    CAPTURE(name);
    const Asked asked(name);
    CHECK(asked.answer("one") == "one\n");
    CHECK(asked.answer("two") == "one\n");
  }
  const Asked too_long(std::string(250, 'n'));
  CHECK(too_long.answer("one") == "one\n");
  CHECK(too_long.answer("two") == "two\n");
}

TEST_CASE("a kept answer is not trusted") {
  struct Row {
    const char* name;
    std::function<void(const std::string&)> spoil;
  };
  const std::vector<Row> rows = {
      {"others can write it",
       [](const std::string& file) { fs::permissions(file, fs::perms{0666}); }},
      {"its group can write it",
       [](const std::string& file) { fs::permissions(file, fs::perms{0664}); }},
      {"cut short in what was asked", [](const std::string& file) { fs::resize_file(file, 10); }},
      {"cut short in the answer",
       [](const std::string& file) { fs::resize_file(file, fs::file_size(file) - 1); }},
      {"empty", [](const std::string& file) { write_text(file, ""); }},
      {"too large",
       [](const std::string& file) {
         write_text(file, read_text(file) + std::string(65536, 'x'));
       }},
      {"about something else",
       [](const std::string& file) { write_text(file, "/" + read_text(file)); }},
      {"a link",
       [](const std::string& file) {
         fs::rename(file, file + ".moved");
         fs::create_symlink(file + ".moved", file);
       }},
      {"a folder",
       [](const std::string& file) {
         fs::remove(file);
         fs::create_directory(file);
       }},
      {"a fifo",
       [](const std::string& file) {
         fs::remove(file);
         REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
       }},
      {"gone, with the whole cache",
       [](const std::string& file) {
         fs::remove_all(fs::path(file).parent_path().parent_path().parent_path());
       }},
  };
  for (const auto& [name, spoil] : rows) {
    CAPTURE(name);
    const Asked asked;
    CHECK(asked.answer("one") == "one\n");
    REQUIRE(asked.kept().size() == 1);
    spoil(asked.kept().front());
    CHECK(asked.answer("two") == "two\n");
  }
  if (::geteuid() != 0) return;
  const Asked asked;
  CHECK(asked.answer("one") == "one\n");
  REQUIRE(::chown(asked.kept().at(0).c_str(), 61234, 61234) == 0);
  CHECK(asked.answer("two") == "two\n");
}

TEST_CASE("what is not kept") {
  const Asked asked;
  SUBCASE("what a program says that fails") {
    // It has no such variable.
    const Variable cache("XDG_CACHE_HOME", asked.folder / "cache");
    CHECK_FALSE(ProgramAnswers("/nonexistent").ask(asked.program, "NO_SUCH_VARIABLE").ok);
  }
  SUBCASE("what a script says, which may lead to another program") {
    fs::remove(asked.program);
    write_text(asked.program, "#!/bin/sh\nprintenv $1\n");
    fs::permissions(asked.program, fs::perms::owner_all);
    CHECK(asked.answer("one") == "one\n");
    CHECK(asked.answer("two") == "two\n");
  }
  SUBCASE("more than a program says of itself") {
    const std::string much(70000, 'x');
    CHECK(asked.answer(much) == much + "\n");
  }
  CHECK(asked.kept().empty());
}

TEST_CASE("answers that were forgotten are asked for again") {
  const Asked asked;
  CHECK(asked.answer("one") == "one\n");
  const Variable cache("XDG_CACHE_HOME", asked.folder / "cache");
  ProgramAnswers("/nonexistent").forget();
  CHECK(asked.kept().empty());
  CHECK(asked.answer("two") == "two\n");
  CHECK(asked.answer("three") == "two\n");
}

TEST_CASE("nothing is left in the home of somebody else, nor in one that is no home") {
  const Asked asked;
  const Variable no_cache("XDG_CACHE_HOME", "");
  const auto home = asked.folder / "home";
  fs::create_directory(home);
  if (::geteuid() == 0) {
    REQUIRE(::chown(home.c_str(), 61234, 61234) == 0);
    const Variable variable("ANSWER", "one");
    CHECK(ProgramAnswers(home).ask(asked.program, "ANSWER").output == "one\n");
    CHECK(fs::is_empty(home));
    REQUIRE(::chown(home.c_str(), 0, 0) == 0);
  }
  for (const auto* other : {"/", ".", ""}) {
    CAPTURE(other);
    const Variable variable("ANSWER", "one");
    CHECK(ProgramAnswers(other).ask(asked.program, "ANSWER").output == "one\n");
  }
  CHECK_FALSE(fs::exists("/.cache/vm-runner/programs"));
  CHECK_FALSE(fs::exists("./.cache/vm-runner/programs"));
}

TEST_CASE("without a folder to keep answers in, programs are asked each time") {
  const Asked asked;
  const Variable no_cache("XDG_CACHE_HOME", "");
  const auto home = asked.folder / "home";
  for (const auto* now : {"one", "two"}) {
    const Variable variable("ANSWER", now);
    CHECK(ProgramAnswers(home).ask(asked.program, "ANSWER").output == std::string(now) + "\n");
  }
  CHECK_FALSE(fs::exists(home));
}

}  // namespace
}  // namespace vmr::test
