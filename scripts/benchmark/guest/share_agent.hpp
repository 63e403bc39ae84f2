// SPDX-License-Identifier: MIT
// What the parts of the benchmark's guest program share.
#pragma once

#include <chrono>
#include <cstddef>
#include <fcntl.h>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using Words = std::vector<std::string>;

/// Says what failed and the kernel's reason.
[[noreturn]] void fail(const std::string& what);

/// `result`, unless it is a system call's -1.
template <typename T>
T checked(T result, const std::string& what) {
  if (result == static_cast<T>(-1)) fail(what);
  return result;
}

/// An open file that closes itself.
class File {
 public:
  explicit File(const std::string& path, int flags = O_RDONLY)
      : number_(checked(::open(path.c_str(), flags | O_CLOEXEC, 0644), "open " + path)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(number_); }
  int number() const { return number_; }

 private:
  int number_;
};

/// The start of `size` bytes of `file` in memory, until it goes.
class Mapping {
 public:
  Mapping(const File& file, std::size_t size, int protection);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();
  char* data() const { return data_; }

 private:
  char* data_;
  std::size_t size_;
};

double seconds_of(const std::function<void()>& work);

/// The guest keeps nothing of any file: the next reader asks the host.
void drop_caches();

/// Verbs by name; each answers with one line, or throws.
using Verbs = std::map<std::string, std::function<std::string(const Words&)>>;
Verbs workloads();
Verbs checks();
