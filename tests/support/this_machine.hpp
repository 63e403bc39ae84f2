// SPDX-License-Identifier: MIT
// Which programs, and which kernel, the tests of this machine see at work.
#pragma once

#include <string>

namespace vmr::test {

/// Whether the virtiofsd here is the C one; the test fails when there is none.
bool has_c_virtiofsd();

/// Whether the kernel has a Landlock that is of use; without one, says that the test is skipped.
bool has_landlock();

/// "QEMU 7.2" or "QEMU 10", as tables of the documentation call them.
std::string qemu_generation();

}  // namespace vmr::test
