// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace vmr {

/// Where the launcher of a running VM answers.
struct ControlAddress {
  std::string vm_name;
  std::string socket;
};

/// What a launcher answered: the result, the descriptors that came with it, and the connection,
/// which some requests go on using.
struct ControlReply {
  boost::json::object result;
  std::vector<UniqueFd> descriptors;
  UniqueFd connection;
};

/// How long an answer may take.
enum class Patience { some_seconds, for_ever };

/// Sends `request`, an object with "request" and what that needs, to the launcher at `address`.
/// Throws Error when nobody answers, saying "no VM named … is running" when there is none, and
/// Error or InvalidConfig with the reasons that the answer gives.
ControlReply ask_launcher(const ControlAddress& address, boost::json::object request,
                          Patience patience = Patience::some_seconds);

}  // namespace vmr
