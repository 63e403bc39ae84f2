// SPDX-License-Identifier: MIT
#pragma once

#include "host/environment.hpp"

#include <cstdlib>
#include <string>

namespace vmr::test {

/// Sets an environment variable for as long as it exists.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name), before_(environment(name)) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_.empty()) {
      ::unsetenv(name_);
    } else {
      ::setenv(name_, before_.c_str(), 1);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

}  // namespace vmr::test
