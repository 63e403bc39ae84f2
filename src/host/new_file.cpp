// SPDX-License-Identifier: MIT
#include "host/new_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <sys/random.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

NewFile::NewFile(std::string path) : NewFile(AT_FDCWD, std::move(path)) {}

NewFile::NewFile(int folder, std::string name) : folder_(folder), path_(std::move(name)) {
  do {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) fail(path_);
    temporary_ = fmt::format("{}.{:016x}", path_, random);
    fd_.reset(::openat(folder_, temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  } while (!fd_ && errno == EEXIST);
  if (!fd_) fail(path_);
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlinkat(folder_, temporary_.c_str(), 0);
}

void NewFile::replace_path() {
  if (::renameat(folder_, temporary_.c_str(), folder_, path_.c_str()) != 0) fail(path_);
  temporary_.clear();
}

}  // namespace vmr
