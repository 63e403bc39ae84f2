// SPDX-License-Identifier: MIT
#include "base/unique_fd.hpp"
#include "host/probe_doctor.hpp"
#include "host/wait_for_exit.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace vmr {
namespace {

constexpr int patience = 5'000;  // milliseconds

std::string failure(const char* step) {
  return fmt::format("{}: {}", step, std::strerror(errno));
}

#if defined(__x86_64__)
constexpr bool has_instruction = true;

/// Puts `hlt` where the vCPU starts and runs it, in real mode.
std::string run_halt(int machine, int vcpu, int state_size) {
  constexpr std::size_t page = 4096;
  constexpr unsigned char halt = 0xf4;
  constexpr std::uint64_t start = 0x1000;
  auto* memory = static_cast<unsigned char*>(
      ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (memory == MAP_FAILED) return failure("memory for a vCPU");
  memory[0] = halt;
  kvm_userspace_memory_region region{};
  region.guest_phys_addr = start;
  region.memory_size = page;
  region.userspace_addr = reinterpret_cast<std::uint64_t>(memory);
  if (::ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) != 0) return failure("KVM's memory");
  kvm_sregs special{};
  if (::ioctl(vcpu, KVM_GET_SREGS, &special) != 0) return failure("KVM_GET_SREGS");
  special.cs.base = 0;
  special.cs.selector = 0;
  kvm_regs registers{};
  registers.rip = start;
  registers.rflags = 2;  // the bit that is always set
  if (::ioctl(vcpu, KVM_SET_SREGS, &special) != 0) return failure("KVM_SET_SREGS");
  if (::ioctl(vcpu, KVM_SET_REGS, &registers) != 0) return failure("KVM_SET_REGS");
  const auto* state = static_cast<const kvm_run*>(::mmap(
      nullptr, static_cast<std::size_t>(state_size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0));
  if (state == MAP_FAILED) return failure("a vCPU's state");
  if (::ioctl(vcpu, KVM_RUN, 0) != 0) return failure("KVM_RUN");
  if (state->exit_reason == KVM_EXIT_HLT) return {};
  return fmt::format("KVM_RUN: exit reason {} instead of a halt", state->exit_reason);
}
#else
constexpr bool has_instruction = false;

std::string run_halt(int /*machine*/, int /*vcpu*/, int /*state_size*/) {
  return {};
}
#endif

std::string run_here() {
  const UniqueFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) return failure("/dev/kvm");
  const UniqueFd machine(::ioctl(kvm.get(), KVM_CREATE_VM, 0));
  if (!machine) return failure("KVM_CREATE_VM");
  const UniqueFd vcpu(::ioctl(machine.get(), KVM_CREATE_VCPU, 0));
  if (!vcpu) return failure("KVM_CREATE_VCPU");
  const int state_size = ::ioctl(kvm.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (state_size <= 0) return failure("KVM_GET_VCPU_MMAP_SIZE");
  return run_halt(machine.get(), vcpu.get(), state_size);
}

}  // namespace

bool knows_instruction() {
  return has_instruction;
}

std::string run_vcpu() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  // In a child: a broken KVM may hang, or kill who uses it.
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto text = run_here();
    const auto written = ::write(writing.get(), text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  if (pid < 0) return failure("fork");
  writing.reset();
  pollfd answer{reading.get(), POLLIN, 0};
  int ready = -1;
  while ((ready = ::poll(&answer, 1, patience)) < 0 && errno == EINTR) {
  }
  if (ready == 0) ::kill(pid, SIGKILL);
  std::array<char, 512> text{};
  const auto count = ::read(reading.get(), text.data(), text.size());
  const int status = wait_for_exit(pid);
  if (ready == 0) return "the vCPU does not stop";
  if (WIFSIGNALED(status)) return fmt::format("a signal: {}", ::strsignal(WTERMSIG(status)));
  return {text.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
}

}  // namespace vmr
