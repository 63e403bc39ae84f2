// SPDX-License-Identifier: MIT
// What nearly every file of `core` includes, read by the compiler once. No file relies on it: each
// includes what it uses, and builds without VM_RUNNER_PCH.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>
