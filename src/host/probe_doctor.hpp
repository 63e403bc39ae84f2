// SPDX-License-Identifier: MIT
// The probes of `doctor`. None fails, hangs or leaves anything behind.
#pragma once

#include "host/doctor_facts.hpp"

#include <string>

namespace vmr {

/// `kvm_opens`: also runs one instruction on a vCPU, in a child.
CpuFacts probe_cpu(bool kvm_opens);

/// Asks the QEMU at this absolute path what it has; starts no machine.
QemuFacts probe_qemu(const std::string& qemu);

/// The version that the virtiofsd at `path` tells; empty: none.
std::string probe_virtiofsd_version(const std::string& path);

ProcessFacts probe_process();

/// Asks qemu-img about the disk at the absolute `path`, and not about what its header names: that
/// may be an address, and this user more than the writer of the header. Of one that qemu-img would
/// follow all the same it is not asked.
ImageFacts probe_image(const std::string& path, const std::string& format);

FolderFacts probe_folder(const std::string& path);

/// Runs one instruction on a vCPU of KVM: empty when it ran, else what failed.
std::string run_vcpu();

/// Whether run_vcpu() knows an instruction of this architecture; else the vCPU is only made.
bool knows_instruction();

}  // namespace vmr
