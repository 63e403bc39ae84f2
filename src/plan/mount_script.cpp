// SPDX-License-Identifier: MIT
// The script that mounts the shares inside the guest, for dash and busybox alike.
#include "base/shell_words.hpp"
#include "plan/seed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

/// Everything before the calls. `wanted_port` is set in the line above it.
///
/// Pure ASCII, since cloud-init's MIME parser damages anything else, and nothing but what both
/// coreutils with util-linux and busybox understand.
constexpr std::string_view functions = R"sh(
# The launcher matches the words of mount.
export LC_ALL=C

# A source that names a file in the current folder may be taken for that file. Here are only
# numbers.
cd /proc/self/task 2>/dev/null || cd /

# sysfs knows the port's name even before udev has made its link.
port=
for file in /sys/class/virtio-ports/*/name; do
  if [ "$(cat "$file" 2>/dev/null)" = "$wanted_port" ]; then
    port=${file%/name}
    port=/dev/${port##*/}
  fi
done
[ -w "$port" ] || port=

# report LINE: tells the launcher, and whoever watches the console. Writing to a port that nobody
# reads blocks for ever, so it is tried for three seconds, once. The port takes one opener at a
# time; tee opens it, since busybox's timeout leaves a helper behind that keeps our descriptors.
report() {
  { printf 'vm-runner: %s\n' "$1" >/dev/console; } 2>/dev/null
  [ -z "$port" ] || printf '%s\n' "$1" | timeout 3 tee -a "$port" >/dev/null 2>&1 || port=
}

# is_mounted: whether $tag is already at $folder. /proc/mounts writes a blank as \040 and the like,
# which is just what printf reads.
is_mounted() {
  sed 's/%/%%/g' /proc/mounts | while read -r its_tag its_folder its_type rest; do
    [ "$its_type" = "$type" ] || continue
    # shellcheck disable=SC2059
    [ "$(printf "$its_type $its_tag $its_folder")" != "$type $tag $folder" ] || echo yes
  done | grep -q yes
}

# explain TEXT: the first line that mount said, with what only the kernel said.
explain() {
  reason=$(printf '%s\n' "$1" | grep -m 1 .)
  kernel=$(dmesg 2>/dev/null |
    grep -F -e "no channels available for device $tag" -e "tag <$tag> not found" |
    sed '$!d; s/^\[[^]]*\] *//')
  printf '%s' "${reason:-mount failed}${kernel:+ ($kernel)}"
}

# mount_share NUMBER TYPE OPTIONS TAG FOLDER [MODE]: mounts one share and reports it; MODE is then
# set on the mounted folder.
mount_share() {
  number=$1 type=$2 options=$3 tag=$4 folder=$5 mode=${6-}
  made=
  [ -d "$folder" ] || made=yes
  if is_mounted || said=$(mkdir -p "$folder" 2>&1 &&
    mount -t "$type" -o "$options" -- "$tag" "$folder" 2>&1); then
    [ -z "$mode" ] || chmod "$mode" "$folder" 2>/dev/null
    report "$number ok $folder"
  else
    # An empty folder would take what is meant for the share.
    [ -z "$made" ] || rmdir "$folder" 2>/dev/null
    report "$number error $(explain "$said")"
  fi
}

)sh";

bool is_plain(char c) {
  return c == '\n' || (c >= ' ' && c <= '~');
}

/// `word` as one shell word of plain ASCII; other bytes are made by the guest's printf.
std::string ascii_shell_word(std::string_view word) {
  if (word.empty()) return shell_quote(word);
  std::string quoted;
  while (!word.empty()) {
    const bool plain = is_plain(word.front());
    const auto end =
        std::find_if(word.begin(), word.end(), [plain](char c) { return is_plain(c) != plain; });
    const auto run = word.substr(0, static_cast<std::size_t>(end - word.begin()));
    word.remove_prefix(run.size());
    if (plain) {
      quoted += shell_quote(run);
      continue;
    }
    quoted += "\"$(printf '";
    for (const char c : run) quoted += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    quoted += "')\"";
  }
  return quoted;
}

/// The `cache=` of a 9p mount; empty leaves the kernel's default, which is none.
///
/// Without a cache the guest sees every change of the host at once, but a shared writable mmap
/// fails. `mmap` allows that and, from kernel 6.4 on, also keeps file contents until the next open:
/// 9p has nothing nearer to "metadata" that every kernel knows. `loose` never looks again at what
/// it has cached.
std::string_view ninep_cache(CacheMode cache) {
  switch (cache) {
    case CacheMode::automatic:
      return "";
    case CacheMode::none:
      return ",cache=none";
    case CacheMode::metadata:
      return ",cache=mmap";
    case CacheMode::always:
      return ",cache=loose";
  }
  return "";
}

std::string mount_options(const Share& share) {
  if (share.driver == Driver::virtiofs) return share.readonly ? "ro" : "rw";
  return fmt::format("trans=virtio,version=9p2000.L,msize=512000{}{}", share.readonly ? ",ro" : "",
                     ninep_cache(share.cache));
}

std::string mount_call(const Share& share) {
  const bool is_virtiofs = share.driver == Driver::virtiofs;
  std::vector<std::string> words = {
      "mount_share",        std::to_string(share.number), is_virtiofs ? "virtiofs" : "9p",
      mount_options(share), ascii_shell_word(share.tag),  ascii_shell_word(share.mount)};
  // In mapped mode the root of the export shows its host owner, so an ordinary guest user could not
  // write there. The mode is kept in an extended attribute; the host folder's own does not change.
  // For everybody rather than one user: at the first boot this runs before there are users. Not
  // with the other modes, where it would change the host folder itself.
  if (share.accessmode == AccessMode::mapped && !share.readonly) words.emplace_back("a+rwx");
  return fmt::format("{}\n", fmt::join(words, " "));
}

/// Loads the file systems in use: mount alone does not load the 9p transport on older kernels.
std::string load_modules(const std::vector<Share>& shares) {
  const auto uses = [&](Driver driver) {
    return std::any_of(shares.begin(), shares.end(),
                       [driver](const Share& share) { return share.driver == driver; });
  };
  std::string lines;
  if (uses(Driver::virtiofs)) lines += "modprobe -q virtiofs 2>/dev/null\n";
  if (uses(Driver::ninep)) lines += "modprobe -q -a 9p 9pnet_virtio 2>/dev/null\n";
  return lines;
}

}  // namespace

std::string mount_script(const std::vector<Share>& shares) {
  // A folder before those below it, or it would hide them.
  std::vector<Share> by_folder = shares;
  std::stable_sort(by_folder.begin(), by_folder.end(),
                   [](const Share& a, const Share& b) { return a.mount < b.mount; });

  std::string script = fmt::format(
      "#!/bin/sh\n"
      "# Made by vm-runner: mounts the shares of this machine at every boot, and never fails it.\n"
      "set -u\n"
      "wanted_port={}\n",
      report_port);
  script += functions;
  script += load_modules(shares);
  for (const Share& share : by_folder) script += mount_call(share);
  return script + "report 'done'\nexit 0\n";
}

}  // namespace vmr
