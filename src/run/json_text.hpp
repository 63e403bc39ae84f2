// SPDX-License-Identifier: MIT
// What the plan looks like as JSON.
#pragma once

#include "plan/launch_plan.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace vmr {

/// `text` as JSON can hold it: what is not UTF-8 becomes U+FFFD.
std::string to_utf8(const std::string& text);

boost::json::array to_json(const std::vector<std::string>& words);

/// {"index": 1, "tag": …, "source": …, "driver": …, "accessmode": …, "readonly": …, "mount": …,
/// "sandbox": …}; the sandbox with virtiofs only.
boost::json::object to_json(const SharePlan& plan);

}  // namespace vmr
