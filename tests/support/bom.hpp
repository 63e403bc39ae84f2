// SPDX-License-Identifier: MIT
// Reads a bill of materials, SPDX 2.3 in JSON.
#pragma once

#include <set>
#include <string>

namespace vmr::test {

/// What a system has by dpkg-query with this format, and what a bill of materials says that it has:
/// a line a package.
inline constexpr auto installed_format =
    "${db:Status-Status} ${Package} ${Version} ${Architecture}\\n";
std::set<std::string> installed_packages(const std::string& dpkg_output);
std::set<std::string> listed_packages(const std::string& bom);

/// The names of the packages of which a bill of materials says that they are linked into vm-runner.
std::set<std::string> linked_packages(const std::string& bom);

/// Checks every field that SPDX 2.3 asks of a document and its packages, that each identifier is
/// one and defined once, and that nothing is said of another.
void check_bom(const std::string& bom);

}  // namespace vmr::test
