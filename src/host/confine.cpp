// SPDX-License-Identifier: MIT
#include "host/confine.hpp"

#include "host/landlock.hpp"
#include "host/refused_calls.hpp"

#include <array>
#include <cerrno>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmr {
namespace {

bool has(CapabilitySet set, int number) {
  return (set >> number & 1) != 0;
}

/// Not by the C library, which would ask other threads to do the same: a child has none.
int become(const Owner& user, const std::vector<std::uint32_t>& groups) {
  // Without it the capabilities would go with root.
  if (::prctl(PR_SET_KEEPCAPS, 1) != 0) return errno;
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) != 0) return errno;
  if (::syscall(SYS_setresgid, user.gid, user.gid, user.gid) != 0) return errno;
  if (::syscall(SYS_setresuid, user.uid, user.uid, user.uid) != 0) return errno;
  return 0;
}

}  // namespace

void limit_capabilities(CapabilitySet kept) {
  for (int number = 0; number < 64; ++number) {
    if (!has(kept, number)) ::prctl(PR_CAPBSET_DROP, number);
  }
}

int keep_capabilities(CapabilitySet kept, CapabilitySet used, bool ambient) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return errno;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    auto& set = sets[i];
    set.permitted &= static_cast<std::uint32_t>(kept >> (32 * i));
    set.effective = set.permitted & static_cast<std::uint32_t>(used >> (32 * i));
    set.inheritable = ambient ? set.permitted : 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return errno;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int number = 0; ambient && number < 64; ++number) {
    const auto index = static_cast<std::size_t>(number) / 32;
    if (!has(sets[index].permitted, number % 32)) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) return errno;
  }
  return 0;
}

ReadyConfinement::ReadyConfinement(const Confinement& confinement)
    : confinement_(confinement), call_filter_(make_call_filter(confinement.refused)) {
  if (!confinement.files.empty()) {
    ruleset_ = make_landlock_ruleset(confinement.files, confinement.tcp_ports);
  }
}

int ReadyConfinement::put_on() const {
  const auto& user = confinement_.user;
  // Another user has nothing in effect at first.
  if (confinement_.capabilities) limit_capabilities(*confinement_.capabilities);
  if (user) {
    if (const int failure = become(*user, confinement_.groups); failure != 0) return failure;
  }
  if (confinement_.capabilities) {
    const auto kept = *confinement_.capabilities;
    const int failure = keep_capabilities(kept, kept, ::geteuid() != 0);
    if (failure != 0) return failure;
  }
  if (confinement_.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return errno;
  }
  return ruleset_ ? put_on_landlock(ruleset_.get()) : 0;
}

int ReadyConfinement::refuse_calls() const {
  return put_on_call_filter(call_filter_);
}

}  // namespace vmr
