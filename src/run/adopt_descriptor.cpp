// SPDX-License-Identifier: MIT
#include "run/adopt_descriptor.hpp"

#include "base/error.hpp"

namespace vmr {

boost::asio::posix::stream_descriptor adopt(const boost::asio::any_io_executor& executor,
                                            UniqueFd fd) {
  boost::asio::posix::stream_descriptor stream(executor);
  boost::system::error_code error;
  // Asio's own constructor leaves a descriptor open that it cannot watch.
  stream.assign(fd.get(), error);
  if (error) throw Error("a connection cannot be watched", error.message(), "");
  fd.release();
  return stream;
}

}  // namespace vmr
