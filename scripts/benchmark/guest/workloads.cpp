// SPDX-License-Identifier: MIT
//
// Workloads in a share: each is given its folder and answers with a rate, of which more is better.
// The clock runs from the first system call of the work until the last one has returned: what is
// written is on the host by then (fsync or close), and caches are dropped before it starts.
#include "share_agent.hpp"

#include <dirent.h>
#include <random>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

extern char** environ;

namespace {

constexpr std::size_t mib = 1 << 20;
constexpr std::size_t page = 4096;
constexpr std::size_t file_size = 32 * mib;
constexpr int random_requests = 1000;
constexpr int small_files = 500;

std::string rate(double amount, double seconds) {
  return std::to_string(amount / seconds);
}

void write_stream(const std::string& path) {
  const std::vector<char> block(mib, 'w');
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  for (std::size_t done = 0; done < file_size; done += mib) {
    checked(::write(file.number(), block.data(), mib), "write");
  }
  checked(::fsync(file.number()), "fsync");
}

void read_stream(const std::string& path) {
  std::vector<char> block(mib);
  const File file(path);
  for (std::size_t done = 0; done < file_size;) {
    const auto count = checked(::read(file.number(), block.data(), mib), "read");
    if (count == 0) throw std::runtime_error("the file is too short");
    done += static_cast<std::size_t>(count);
  }
}

/// `requests` pages at random; the same ones in every run with the same `seed`.
void read_random(const std::string& path, int requests, unsigned seed) {
  std::minstd_rand random(seed);
  char block[page];
  const File file(path);
  for (int i = 0; i < requests; ++i) {
    const auto position = static_cast<off_t>(random() % (file_size / page) * page);
    checked(::pread(file.number(), block, page, position), "pread");
  }
}

void write_random(const std::string& path) {
  std::minstd_rand random(1);
  const std::vector<char> block(page, 'r');
  const File file(path, O_WRONLY);
  for (int i = 0; i < random_requests; ++i) {
    const auto position = static_cast<off_t>(random() % (file_size / page) * page);
    checked(::pwrite(file.number(), block.data(), page, position), "pwrite");
  }
  checked(::fsync(file.number()), "fsync");
}

void read_in_parallel(const std::string& path) {
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i <= 4; ++i) {
    threads.emplace_back([&path, i] { read_random(path, random_requests / 4, i); });
  }
}

void read_mapped(const std::string& path) {
  const File file(path);
  const Mapping mapping(file, file_size, PROT_READ);
  volatile char last = 0;
  for (std::size_t i = 0; i < file_size; i += page) last = mapping.data()[i];
  static_cast<void>(last);
}

void write_mapped(const std::string& path) {
  const File file(path, O_RDWR);
  const Mapping mapping(file, file_size, PROT_READ | PROT_WRITE);
  for (std::size_t i = 0; i < file_size; i += page) mapping.data()[i] += 1;
  checked(::msync(mapping.data(), file_size, MS_SYNC), "msync");
}

std::string small_file(const std::string& folder, int number) {
  return folder + "/small/file-" + std::to_string(number);
}

void create_files(const std::string& folder) {
  for (int i = 0; i < small_files; ++i) {
    const File file(small_file(folder, i), O_WRONLY | O_CREAT | O_EXCL);
    checked(::write(file.number(), "a small file\n", 13), "write");
  }
}

/// As `ls -l` does: the names, and each one's state.
void list_files(const std::string& folder) {
  const auto path = folder + "/small";
  DIR* const directory = ::opendir(path.c_str());
  if (directory == nullptr) fail("opendir");
  int count = 0;
  while (const dirent* entry = ::readdir(directory)) {
    struct stat state;
    checked(::fstatat(::dirfd(directory), entry->d_name, &state, AT_SYMLINK_NOFOLLOW), "fstatat");
    ++count;
  }
  ::closedir(directory);
  if (count != small_files + 2) throw std::runtime_error(std::to_string(count) + " names");
}

void read_files(const std::string& folder) {
  char block[page];
  for (int i = 0; i < small_files; ++i) {
    const File file(small_file(folder, i));
    checked(::read(file.number(), block, page), "read");
  }
}

void unlink_files(const std::string& folder) {
  for (int i = 0; i < small_files; ++i) {
    checked(::unlink(small_file(folder, i).c_str()), "unlink");
  }
}

void git_status(const std::string& folder) {
  const auto repository = folder + "/repository";
  std::vector<std::string> words = {"git", "-C", repository, "status", "--porcelain"};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child;
  errno = ::posix_spawnp(&child, "git", nullptr, nullptr, arguments.data(), environ);
  if (errno != 0) fail("git");
  int status = 0;
  checked(::waitpid(child, &status, 0), "waitpid");
  if (status != 0) throw std::runtime_error("git status failed");
}

using Work = void (*)(const std::string&);

/// `cold`: the guest has nothing in its caches when the clock starts.
std::function<std::string(const Words&)> timed(Work work, double amount, bool cold,
                                               const std::string& file = "") {
  return [=](const Words& words) {
    if (cold) drop_caches();
    return rate(amount, seconds_of([&] { work(words.at(0) + file); }));
  };
}

}  // namespace

Verbs workloads() {
  constexpr double megabytes = static_cast<double>(file_size) / mib;
  return {
      {"write", timed(write_stream, megabytes, true, "/file")},
      {"read", timed(read_stream, megabytes, true, "/file")},
      {"read-again", timed(read_stream, megabytes, false, "/file")},
      {"random-read",
       [](const Words& words) {
         drop_caches();
         return rate(random_requests,
                     seconds_of([&] { read_random(words.at(0) + "/file", random_requests, 1); }));
       }},
      {"parallel-read", timed(read_in_parallel, random_requests, true, "/file")},
      {"random-write", timed(write_random, random_requests, true, "/file")},
      {"mmap-read", timed(read_mapped, megabytes, true, "/file")},
      {"mmap-write", timed(write_mapped, megabytes, true, "/file")},
      {"create", timed(create_files, small_files, true)},
      {"list", timed(list_files, small_files, true)},
      {"list-again", timed(list_files, small_files, false)},
      {"read-small", timed(read_files, small_files, true)},
      {"unlink", timed(unlink_files, small_files, true)},
      // git's own time, which is the same for all, is in it.
      {"git-status", timed(git_status, 1, true)},
      {"git-status-again", timed(git_status, 1, false)},
  };
}
