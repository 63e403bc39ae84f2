// SPDX-License-Identifier: MIT
// The steps of import_domain. Each takes its part of the tree, marks there what it has read, and
// leaves the rest to note_rest.
#pragma once

#include "libvirt/domain_tree.hpp"
#include "libvirt/import_domain.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The number that `text` is in decimal digits; none for anything else.
std::optional<std::uint64_t> number_in(std::string_view text);

/// What has been imported so far.
struct Import {
  ImportedDomain found;
  std::vector<std::string> extra_args;  ///< become EXTRA_ARGS
  bool is_arm = false;                  ///< the machine is one for aarch64
  bool is_i440fx = false;               ///< the older of the two PCs
  std::string base_image;               ///< BASE_IMAGE; empty: none
  bool has_seed = true;                 ///< cloud-init's, a disk behind that of BASE_IMAGE
  struct {
    std::size_t ide = 0;  ///< how many there are
    bool has_scsi_bus = false;
    bool has_floppy_bus = false;
  } drives;

  void set(std::string name, std::string text) { set_share(0, std::move(name), std::move(text)); }
  void set_share(int number, std::string name, std::string text);
  [[nodiscard]] bool has(std::string_view name) const;  ///< of the VM's settings

  /// Appends QEMU's arguments.
  void add_arguments(const std::vector<std::string>& words);

  /// Tells that what `element` means is lost.
  void lose(const DomainElement& element, std::string_view why,
            NoteWeight weight = NoteWeight::matters);
  /// Tells that what `element` means is there, and what is different.
  void change(const DomainElement& element, std::string_view what,
              NoteWeight weight = NoteWeight::matters);
  /// Sets a path, which libvirt has from the root folder.
  void set_path(const DomainElement& element, int share, const std::string& name,
                const std::string& path);
};

void import_machine(DomainElement& domain, Import& import);  ///< name, memory, CPUs, system
void import_cpu(DomainElement& domain, const std::string& cpus, Import& import);  ///< CPU_MODEL
void import_disks(DomainElement& devices, Import& import);  ///< after import_machine

/// Gives QEMU the disk as the -drive `id`; false, and told why, when it is not carried over.
bool import_drive(DomainElement& disk, const std::string& id, Import& import);

/// Marks what every disk has and what decides nothing more.
void take_disk(DomainElement& disk);

void import_interfaces(DomainElement& devices, Import& import);  ///< network cards
void import_filesystems(DomainElement& devices, Import& import);
void import_ports(DomainElement& devices, Import& import);  ///< serial ports and channels

/// What the guest reads of its machine and of its firmware: SMBIOS tables, fw_cfg.
void import_sysinfo(DomainElement& domain, Import& import);

/// USB controllers: those among the domain's `devices`, and the one that its own arguments need.
void import_usb(const DomainElement& domain, DomainElement& devices, Import& import);

/// The user's own QEMU arguments; after everything else, as libvirt has them.
void import_command_line(DomainElement& domain, Import& import);

/// Tells of everything that nobody has read, but what vm-runner does anyway.
void note_rest(const DomainElement& domain, Import& import);

}  // namespace vmr
