// SPDX-License-Identifier: MIT
#include "spec/guest_folders.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// Nothing in them is a user's, at any depth: programs, libraries, the kernel's own.
constexpr std::array<std::string_view, 18> trees = {
    "/bin",       "/boot",      "/dev",        "/lib",      "/lib32",       "/lib64",
    "/libx32",    "/proc",      "/sbin",       "/sys",      "/usr/bin",     "/usr/lib",
    "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/sbin", "/usr/libexec", "/var/lib/dpkg"};

/// In one of these trees all the same: the host's modules and firmware for a guest of its kernel.
constexpr std::array<std::string_view, 4> shared_trees = {"/lib/modules", "/lib/firmware",
                                                          "/usr/lib/modules", "/usr/lib/firmware"};

/// In them others may have folders of their own.
constexpr std::array<std::string_view, 12> parents = {
    "/etc", "/home",    "/root",    "/run",       "/usr",       "/usr/share",
    "/var", "/var/lib", "/var/log", "/var/cache", "/var/spool", "/usr/include"};

struct Children {
  std::string_view parent;  ///< with a slash at its end
  std::string_view names;   ///< between blanks
};

/// What the system itself has in folders where others have theirs too.
constexpr std::array children = std::to_array<Children>({
    {"/etc/",
     " alternatives apparmor apparmor.d apk apt cloud cron.d dbus-1 default dhcp "
     "dpkg fonts grub.d init.d initramfs-tools kernel ld.so.conf.d modprobe.d "
     "modules-load.d netplan network NetworkManager pam.d pki polkit-1 profile.d "
     "rc0.d rc1.d rc2.d rc3.d rc4.d rc5.d rc6.d rcS.d rpm runlevels security "
     "selinux skel ssh ssl sudoers.d sysconfig sysctl.d systemd terminfo "
     "tmpfiles.d udev X11 xdg "},
    {"/run/",
     " blkid cloud-init credentials cryptsetup dbus initctl initramfs lock log lvm "
     "mount network NetworkManager openrc sshd sudo systemd udev user utmp "},
    {"/usr/share/",
     " bash-completion ca-certificates cloud-init dbus-1 debconf dpkg "
     "initramfs-tools keyrings locale pam perl perl5 polkit-1 python3 systemd "
     "terminfo zoneinfo "},
    {"/var/", " backups cache db empty lock log mail run spool tmp "},
    {"/var/lib/",
     " apk apt cloud dbus debconf dhcp dpkg initramfs-tools misc NetworkManager "
     "pacman pam polkit-1 private python rpm sudo systemd ucf urandom "},
    {"/var/cache/", " apt debconf ldconfig "},
    {"/var/spool/", " cron "},
    {"/var/log/", " journal private "},
});

/// Whether `folder` is `tree`, or in it.
bool is_in(std::string_view folder, std::string_view tree) {
  return folder.starts_with(tree) && (folder.size() == tree.size() || folder[tree.size()] == '/');
}

template <std::size_t size>
bool is_in_one(std::string_view folder, const std::array<std::string_view, size>& all) {
  return std::any_of(all.begin(), all.end(), [&](auto tree) { return is_in(folder, tree); });
}

bool is_child(std::string_view folder, const Children& of) {
  if (!folder.starts_with(of.parent)) return false;
  const auto name = folder.substr(of.parent.size());
  if (name.empty() || name.find_first_of(" /") != name.npos) return false;
  for (auto at = of.names.find(name); at != of.names.npos; at = of.names.find(name, at + 1)) {
    if (of.names[at - 1] == ' ' && of.names[at + name.size()] == ' ') return true;
  }
  return false;
}

}  // namespace

bool hides_the_guest(std::string_view folder) {
  if (is_in_one(folder, shared_trees)) return false;
  return is_in_one(folder, trees) ||
         std::find(parents.begin(), parents.end(), folder) != parents.end() ||
         std::any_of(children.begin(), children.end(),
                     [&](const Children& of) { return is_child(folder, of); });
}

}  // namespace vmr
