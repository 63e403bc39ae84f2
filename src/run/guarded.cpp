// SPDX-License-Identifier: MIT
#include "run/guarded.hpp"

#include "base/log.hpp"

#include <exception>

namespace vmr {

bool guarded(const std::function<void()>& act) {
  try {
    act();
    return true;
  } catch (const std::exception& fault) {
    log_error("A fault in vm-runner: {}; the VM goes on", fault.what());
    return false;
  }
}

}  // namespace vmr
