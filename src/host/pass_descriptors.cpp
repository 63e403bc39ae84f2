// SPDX-License-Identifier: MIT
#include "host/pass_descriptors.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace vmr {
namespace {

constexpr std::size_t most_descriptors = 8;

/// Room for the ancillary data, aligned as the kernel wants it.
struct Ancillary {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> bytes{};
};

ssize_t send_message(int socket, std::string_view text, const std::vector<int>& descriptors) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Ancillary ancillary;
  if (!descriptors.empty()) {
    const auto size = descriptors.size() * sizeof(int);
    message.msg_control = ancillary.bytes.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

bool send_with_descriptors(int socket, std::string_view text, const std::vector<int>& descriptors) {
  return send_message(socket, text, descriptors) == static_cast<ssize_t>(text.size());
}

ssize_t send_some(int socket, std::string_view text, int descriptor) {
  return send_message(socket, text,
                      descriptor < 0 ? std::vector<int>() : std::vector<int>{descriptor});
}

std::string receive_with_descriptors(int socket, std::size_t longest,
                                     std::vector<UniqueFd>& descriptors) {
  std::string text(longest, '\0');
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Ancillary ancillary;
  message.msg_control = ancillary.bytes.data();
  message.msg_controllen = ancillary.bytes.size();
  ssize_t size = -1;
  do {
    size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return {};
  text.resize(static_cast<std::size_t>(size));
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      descriptors.emplace_back(descriptor);
    }
  }
  return text;
}

}  // namespace vmr
