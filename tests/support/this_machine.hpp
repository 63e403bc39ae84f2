// SPDX-License-Identifier: MIT
// Which programs the tests of this machine see at work.
#pragma once

#include <string>

namespace vmr::test {

/// Whether the virtiofsd here is the C one; the test fails when there is none.
bool has_c_virtiofsd();

/// "QEMU 7.2" or "QEMU 10", as tables of the documentation call them.
std::string qemu_generation();

}  // namespace vmr::test
