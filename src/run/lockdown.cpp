// SPDX-License-Identifier: MIT
#include "run/lockdown.hpp"

#include "base/capabilities.hpp"
#include "base/error.hpp"
#include "host/abilities.hpp"
#include "host/confine.hpp"
#include "run/system_call_filter.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>

#include <cerrno>
#include <cstring>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <utility>

namespace vmr {
namespace {

/// What a virtiofsd is started with at most; which sandbox it will have is not known yet.
CapabilitySet of_helpers() {
  return capabilities_of_virtiofsd() |
         capability_set({CAP_DAC_READ_SEARCH, CAP_SYS_CHROOT, CAP_SYS_ADMIN});
}

/// What is used without a program being started.
CapabilitySet used(const LockdownNeeds& needs) {
  // Whoever QEMU has become, by arguments of the user's own too, has to be ended.
  auto set = capability_set({CAP_KILL});
  if (needs.serves_other_user) set |= capability_set({CAP_CHOWN});
  // Folders of others are looked at, and made in.
  if (needs.starts_helpers) set |= capability_set({CAP_DAC_OVERRIDE});
  return set;
}

void check(int failure, const char* what) {
  if (failure == 0) return;
  throw Error(std::string("the launcher cannot give up ") + what, std::strerror(failure), "");
}

}  // namespace

Lockdown::Lockdown(const boost::asio::any_io_executor& executor, const LockdownNeeds& needs,
                   OnRefused on_refused)
    : refused_(executor), on_refused_(std::move(on_refused)) {
  const auto kept = used(needs) | (needs.starts_helpers ? of_helpers() : 0);
  limit_capabilities(kept);
  check(keep_capabilities(kept, used(needs), false), "capabilities");
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno, "new privileges");
  refused_.assign(filter_system_calls(needs.starts_helpers).release());
  watch();
}

void Lockdown::watch() {
  boost::asio::async_read(refused_, boost::asio::buffer(&number_, sizeof number_),
                          [this](boost::system::error_code error, std::size_t) {
                            if (error) return;
                            const auto call = system_call_name(number_);
                            watch();
                            on_refused_(call);
                          });
}

}  // namespace vmr
