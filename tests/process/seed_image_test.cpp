// SPDX-License-Identifier: MIT
// Reads the image back with tools that are not ours.
#include "run/seed_image.hpp"

#include "base/error.hpp"
#include "base/shell_words.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// What a command prints on standard output; it must succeed.
std::string output_of(const std::vector<std::string>& argv) {
  const auto command = "PATH=$PATH:/usr/sbin:/sbin " + shell_join(argv) + " 2>/dev/null";
  CAPTURE(command);
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 4096> bytes{};
  while (const auto size = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    output.append(bytes.data(), size);
  }
  CHECK(::pclose(pipe) == 0);
  return output;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

std::string bytes_of_every_value() {
  std::string bytes;
  for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
  return bytes;
}

SeedContents some_contents() {
  return {"instance-id: iid-x\n", "#cloud-config\n{}\n", "vendor\n"};
}

/// Writes `contents` to `path` and returns the error; there must be one.
Error error_of(const SeedContents& contents, const std::string& path) {
  try {
    write_seed_image(contents, path);
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return {"", "", ""};
}

TEST_CASE("a seed image is read back byte for byte by xorriso and isoinfo") {
  const test::TemporaryFolder folder;
  const std::vector<SeedContents> cases = {
      some_contents(),
      {"", "", ""},
      {std::string(2048, 'm'), std::string(200 * 1024, 'u'), std::string(2049, 'v')},
      {bytes_of_every_value(), "--\r\n\xff", "x"}};
  for (const auto& contents : cases) {
    const auto image = folder / "seed with blank.iso";
    write_seed_image(contents, image);
    CAPTURE(contents.user_data.size());
    for (const auto* extension : {"-J", "-R"}) {
      CAPTURE(extension);
      const auto read = [&](const char* name) {
        return output_of({"isoinfo", extension, "-i", image, "-x", name});
      };
      CHECK(SeedContents{read("/meta-data"), read("/user-data"), read("/vendor-data")} == contents);
    }
    const auto extracted = folder / "extracted";
    output_of({"xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", extracted});
    CHECK(names_in(extracted).size() == 3);
    CHECK(SeedContents{read_file(extracted + "/meta-data"), read_file(extracted + "/user-data"),
                       read_file(extracted + "/vendor-data")} == contents);
    // xorriso keeps the read-only modes of the image.
    output_of({"chmod", "-R", "u+w", extracted});
    fs::remove_all(extracted);
  }
}

TEST_CASE("a seed image has the label that cloud-init looks for and both extensions") {
  const test::TemporaryFolder folder;
  const auto image = folder / "seed.iso";
  write_seed_image(some_contents(), image);
  CHECK(output_of({"blkid", "-p", "-o", "value", "-s", "LABEL", image}) == "cidata\n");
  CHECK(output_of({"blkid", "-p", "-o", "value", "-s", "TYPE", image}) == "iso9660\n");
  const auto facts = output_of({"isoinfo", "-d", "-i", image});
  CHECK(facts.find("\nJoliet with UCS level 3 found\n") != facts.npos);
  CHECK(facts.find("\nRock Ridge signatures version 1 found\n") != facts.npos);
}

TEST_CASE("a seed image is small private and the only file left") {
  const test::TemporaryFolder folder;
  const auto image = folder / "seed.iso";
  write_seed_image(some_contents(), image);
  struct stat facts = {};
  REQUIRE(::stat(image.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  CHECK(facts.st_size < 100'000);
  CHECK(names_in(folder.path()) == std::vector<std::string>{"seed.iso"});
}

TEST_CASE("a seed image replaces an older one") {
  const test::TemporaryFolder folder;
  const auto image = folder / "seed.iso";
  write_file(image, std::string(1'000'000, 'x'));
  write_seed_image(some_contents(), image);
  CHECK(output_of({"isoinfo", "-R", "-i", image, "-x", "/vendor-data"}) == "vendor\n");
  CHECK(fs::file_size(image) < 100'000);
}

TEST_CASE("no temporary folder is needed but that of the image") {
  const test::TemporaryFolder folder;
  const char* const before = ::getenv("TMPDIR");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/nonexistent", 1);
  write_seed_image(some_contents(), folder / "seed.iso");
  CHECK(std::string(::getenv("TMPDIR")) == "/nonexistent");
  ::unsetenv("TMPDIR");
  write_seed_image(some_contents(), folder / "seed.iso");
  CHECK(::getenv("TMPDIR") == nullptr);
  if (before != nullptr) ::setenv("TMPDIR", saved.c_str(), 1);
}

TEST_CASE("a seed image that cannot be written is an error that names it") {
  const test::TemporaryFolder folder;
  const auto missing = folder / "missing/a, 'b'\n%s.iso";
  const auto error = error_of(some_contents(), missing);
  CHECK(error.what() == "cannot write the seed image " + missing);
  CHECK(error.cause == "No such file or directory");
  CHECK(error.status == ExitStatus::failed);
}

TEST_CASE("a seed image does not take the place of what is not a file") {
  const test::TemporaryFolder folder;
  const auto link = folder / "link";
  fs::create_symlink("/dev/null", link);
  fs::create_directory(folder / "folder");
  for (const auto& path : {link, folder / "folder"}) {
    const auto error = error_of(some_contents(), path);
    CHECK(error.what() == "cannot write the seed image " + path);
    CHECK(error.cause == "something that is not a regular file is there");
    CHECK(error.hint == "choose another name, or remove it");
  }
  CHECK(fs::is_symlink(link));
  CHECK(names_in(folder.path()).size() == 2);
}

TEST_CASE("a write that fails half-way leaves the older image and nothing else") {
  const test::TemporaryFolder folder;
  const auto image = folder / "seed.iso";
  write_file(image, "older");

  // A limit on the size of files stands in for a full disk.
  rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small = {40'000, before.rlim_max};
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto error = error_of(some_contents(), image);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);

  CHECK(error.what() == "cannot write the seed image " + image);
  CHECK(error.cause == "Write error: File too large");
  CHECK(read_file(image) == "older");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"seed.iso"});
}

}  // namespace
}  // namespace vmr
