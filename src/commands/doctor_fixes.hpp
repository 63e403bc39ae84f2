// SPDX-License-Identifier: MIT
// What to do about a finding, in the words of the place that we run in.
#pragma once

#include "host/doctor_facts.hpp"
#include "host/host.hpp"

#include <cstdint>
#include <string>

namespace vmr {

/// "Docker container", for people.
std::string name_of(Surroundings surroundings);

/// `flags` of `docker run`, with the command of this engine before them; in a pod the same in
/// words of its manifest is `pod_words`.
std::string run_flags(Surroundings surroundings, const std::string& flags,
                      const std::string& pod_words);

/// How /dev/kvm can be opened where it cannot.
std::string fix_for_kvm_device(const KvmFacts& kvm, const DoctorFacts& facts, std::uint32_t uid);

/// How a KVM that opens and runs no vCPU is got to work, or done without.
std::string fix_for_broken_kvm(Surroundings surroundings);

/// How virtiofsd gets the sandbox `namespace`.
std::string fix_for_namespaces(Surroundings surroundings);

/// How an ordinary user gets user namespaces; `sysctl` forbids them, if it is not empty.
std::string fix_for_user_namespaces(Surroundings surroundings, const std::string& sysctl);

/// How the call unshare(CLONE_FS) is allowed.
std::string fix_for_unshare(Surroundings surroundings);

/// How this many files can be open.
std::string fix_for_open_files(Surroundings surroundings, std::uint64_t count);

/// How a VM of `wanted` MiB with QEMU around it gets that much.
std::string fix_for_memory_limit(Surroundings surroundings, std::uint64_t wanted);

/// How Debian's `package` is installed.
std::string fix_by_package(Surroundings surroundings, std::uint32_t uid,
                           const std::string& package);

}  // namespace vmr
