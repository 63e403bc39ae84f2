// SPDX-License-Identifier: MIT
#include "host/program_answers.hpp"

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "host/environment.hpp"
#include "host/new_file.hpp"
#include "host/trusted_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace vmr {
namespace {

constexpr const char* folder_in_cache = "/vm-runner/programs";
constexpr const char* system_cache = "/var/cache";
/// No program says more of itself.
constexpr std::size_t longest_file = std::size_t{64} << 10;

/// Everything that there is to read, none when it is too much.
std::optional<std::string> read_all(int fd) {
  std::string text(longest_file + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto count = ::read(fd, text.data() + size, text.size() - size);
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > longest_file) return std::nullopt;
  text.resize(size);
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Whether nobody but this user and root can have written what is in `fd`.
bool is_trusted(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
         (facts.st_uid == ::geteuid() || facts.st_uid == 0) && (facts.st_mode & 022) == 0;
}

/// A script may lead to another program, whose changes would not be seen.
bool is_binary(const std::string& program) {
  const UniqueFd file(::open(program.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4> start{};
  return file && ::read(file.get(), start.data(), start.size()) == 4 &&
         std::string_view(start.data(), start.size()) ==
             "\x7f"
             "ELF";
}

/// The first lines of a kept answer: what was asked. In whole seconds, as the layers of an image
/// keep it. Empty when the program is not there.
std::string question(const std::string& program, const std::string& option) {
  struct stat facts {};
  if (::stat(program.c_str(), &facts) != 0) return {};
  return fmt::format("{}\n{}\n{} bytes, changed at {}\n", program, option, facts.st_size,
                     facts.st_mtim.tv_sec);
}

/// Two that get one name only take each other's place: the question tells them apart.
std::string file_for(const std::string& cache, std::string program, const std::string& option) {
  std::replace(program.begin(), program.end(), '/', '-');
  return fmt::format("{}{}/{}{}", cache, folder_in_cache, program.substr(1), option);
}

/// What is in the file.
std::string with_length(const std::string& question, const std::string& answer) {
  return fmt::format("{}{} bytes:\n{}", question, answer.size(), answer);
}

std::optional<std::string> read_kept(const std::string& path, const std::string& question) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file || !is_trusted(file.get())) return std::nullopt;
  auto text = read_all(file.get());
  if (!text || !text->starts_with(question)) return std::nullopt;
  const auto start = text->find('\n', question.size());
  if (start == text->npos) return std::nullopt;
  auto answer = text->substr(start + 1);
  // A machine that lost its power may have kept a part of it.
  return *text == with_length(question, answer) ? std::optional(std::move(answer)) : std::nullopt;
}

/// Whether `path` is a folder of this user's: root with the home of another leaves nothing there.
bool is_own_folder(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid();
}

/// Makes the folders for answers below `cache`, and that one in its parent; false: it cannot.
bool make_folders(const std::string& cache) {
  const auto parent = std::filesystem::path(cache).parent_path().string();
  if (!is_own_folder(cache) && !is_own_folder(parent)) return false;
  ::mkdir(cache.c_str(), 0700);
  ::mkdir((cache + "/vm-runner").c_str(), 0755);
  const auto folder = cache + folder_in_cache;
  ::mkdir(folder.c_str(), 0755);
  return is_own_folder(folder);
}

void keep(const std::string& path, const std::string& text) try {
  NewFile file(path);
  // Others may read what an image brings along.
  if (::fchmod(file.fd(), 0644) == 0 && write_all(file.fd(), text)) file.replace_path();
} catch (const std::system_error& error) {
  log_debug("what a program tells of itself cannot be kept: {}", error.what());
}

}  // namespace

ProgramAnswers::ProgramAnswers(const std::string& home) : cache_(environment("XDG_CACHE_HOME")) {
  if (!cache_.starts_with('/')) {
    const bool is_home = home.starts_with('/') && home != "/";
    cache_ = is_home ? home + "/.cache" : "";
  }
  // Else a link of another user's would choose where files are made.
  if (!cache_.empty() && !find_stranger(cache_).empty()) cache_.clear();
}

Captured ProgramAnswers::ask(const std::string& program, const std::string& option) const {
  const auto asked = question(program, option);
  for (const auto& cache : {cache_, std::string(system_cache)}) {
    if (cache.empty() || asked.empty()) continue;
    if (auto answer = read_kept(file_for(cache, program, option), asked)) {
      Captured captured;
      captured.ran = captured.ok = true;
      captured.output = std::move(*answer);
      return captured;
    }
  }
  auto captured = capture({program, option}, {}, time_to_tell);
  const auto text = with_length(asked, captured.output);
  const bool is_kept = captured.ok && !asked.empty() && text.size() <= longest_file &&
                       is_binary(program) && !cache_.empty() && make_folders(cache_);
  if (is_kept) keep(file_for(cache_, program, option), text);
  return captured;
}

void ProgramAnswers::forget() const {
  std::error_code ignored;
  if (!cache_.empty()) std::filesystem::remove_all(cache_ + folder_in_cache, ignored);
}

}  // namespace vmr
