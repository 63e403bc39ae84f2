// SPDX-License-Identifier: MIT
// What `status` and `share` print for people.
#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace vmr {

/// A status, one line each for the machine, its processes and its shares.
std::string status_table(const boost::json::object& status);

/// The line of one share.
std::string share_row(const boost::json::object& share);

}  // namespace vmr
