// SPDX-License-Identifier: MIT
#include "host/new_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <stdlib.h>
#include <system_error>
#include <unistd.h>

namespace vmr {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(path), temporary_(path + ".XXXXXX") {
  fd_.reset(::mkostemp(temporary_.data(), O_CLOEXEC));
  if (!fd_) fail(path_);
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::replace_path() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_);
  temporary_.clear();
}

}  // namespace vmr
