// SPDX-License-Identifier: MIT
// What the plan looks like as JSON.
#pragma once

#include "base/utf8.hpp"
#include "plan/launch_plan.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace vmr {

/// `words`, with U+FFFD for what is not UTF-8.
boost::json::array to_json(const std::vector<std::string>& words);

/// {"index": 1, "tag": …, "source": …, "driver": …, "accessmode": …, "readonly": …, "mount": …,
/// "sandbox": …}; the sandbox with virtiofs only.
boost::json::object to_json(const SharePlan& plan);

}  // namespace vmr
