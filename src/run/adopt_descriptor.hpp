// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace vmr {

/// A stream that owns `fd`. Throws Error when there is none (-1, as after a failed call), or when
/// the kernel does not watch it, for want of memory or of a user's watches; it is closed then.
boost::asio::posix::stream_descriptor adopt(const boost::asio::any_io_executor& executor,
                                            UniqueFd fd);

}  // namespace vmr
