// SPDX-License-Identifier: MIT
// The script that mounts the shares inside the guest, for dash and busybox alike.
#include "base/ascii.hpp"
#include "base/shell_words.hpp"
#include "plan/seed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {
namespace {

/// What every call needs. `wanted_port` is set in the line above it.
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

# report LINE: tells the launcher, which tells its user; without it, whoever watches the console.
# Writing to a port that nobody reads blocks for ever, so it is tried for three seconds, once. The
# port takes one opener at a time; tee opens it, since busybox's timeout leaves a helper behind that
# keeps our descriptors.
report() {
  [ -z "$port" ] || printf '%s\n' "$1" | timeout 3 tee -a "$port" >/dev/null 2>&1 || port=
  [ -n "$port" ] || { printf 'vm-runner: %s\n' "$1" >/dev/console; } 2>/dev/null
}

# decode WORD: sets $decoded to a word of /proc/mounts, where a blank is \040 and the like: just
# what printf reads.
decode() {
  decoded=$1
  case $1 in
    # The dot keeps a leading - from being an option.
    # shellcheck disable=SC2059
    *\\*) decoded=$(printf ".$(printf '%s' "$1" | sed 's/%/%%/g')") && decoded=${decoded#.} ;;
  esac
}

# find_mount: sets $mounted to "TYPE TAG" of what is mounted at $folder; empty: nothing.
find_mount() {
  mounted=
  while read -r its_tag its_folder its_type rest; do
    decode "$its_folder"
    [ "$decoded" = "$folder" ] || continue
    decode "$its_tag"
    mounted="$its_type $decoded"
  done </proc/mounts
}

# explain TEXT: the first line that mount said, with what only the kernel said.
explain() {
  reason=$(printf '%s\n' "$1" | grep -m 1 .)
  kernel=$(dmesg 2>/dev/null |
    grep -F -e "no channels available for device $tag" -e "tag <$tag> not found" |
    sed '$!d; s/^\[[^]]*\] *//')
  printf '%s' "${reason:-mount failed}${kernel:+ ($kernel)}"
}

)sh";

constexpr std::string_view home_functions = R"sh(
# find_user FOLDER: sets $user to the UID:GID of the person in whose home FOLDER is, and $home; both
# empty: nobody's. What services have is not asked for.
find_user() {
  user='' home=''
  while IFS=: read -r _ _ its_uid its_gid _ its_home _; do
    [ "${its_home:-/}" != / ] && [ "${its_uid:-0}" -ge 1000 ] || continue
    case $1/ in "${its_home%/}"/*) user=$its_uid:$its_gid home=${its_home%/} ;; esac
  done </etc/passwd
}

# fill_home: makes of $home what useradd makes of one that it creates.
fill_home() {
  for entry in /etc/skel/* /etc/skel/.[!.]*; do
    copy=$home/${entry##*/}
    [ ! -e "$entry" ] || [ -e "$copy" ] ||
      { cp -R -p "$entry" "$copy" && chown -R -h "$user" "$copy"; }
  done
  mode=$(sed -n 's/^HOME_MODE[[:blank:]]*//p' /etc/login.defs)
  [ -z "$mode" ] || chmod "$mode" "$home"
}

# hand_over FOLDERS: gives those that were made on the way to a mount folder, one a line and the
# deepest first, to the users in whose homes they are. At the first boot cloud-init makes the users
# later, so they are waited for as long as it is at work.
hand_over() {
  left=$1 tries=3000
  while :; do
    at_work=
    [ ! -d /run/cloud-init ] || [ -e /run/cloud-init/result.json ] || at_work=yes
    waiting=
    while IFS= read -r made; do
      [ -d "$made" ] || continue
      find_user "$made"
      if [ -z "$user" ]; then
        waiting="$waiting$made
"
      else
        [ "$made" != "$home" ] || fill_home
        chown -h "$user" "$made"
      fi
    done <<END
$left
END
    left=$waiting tries=$((tries - 1))
    { [ -n "$left" ] && [ -n "$at_work" ] && [ $tries -gt 0 ]; } || return 0
    sleep 0.2 || sleep 1
  done
}

)sh";

constexpr std::string_view mount_function = R"sh(
# ninep_cache: what $options lack where $type is 9p. Linux from 6.8 on never returns from a read
# without a cache when the file has become shorter since it was opened; before 6.4 it does not know
# this cache.
ninep_cache() {
  case $type,$options in
    9p,*cache=*) return ;;
    9p,*) ;;
    *) return ;;
  esac
  case $(uname -r) in
    [0-5].* | 6.[0-7] | 6.[0-7][!0-9]*) ;;
    *) printf ',cache=readahead' ;;
  esac
}

# mount_share NUMBER TYPE OPTIONS TAG FOLDER PLACE [MODE]: mounts one share and reports it, with PLACE
# for tag and folder; MODE is then set on the mounted folder.
mount_share() {
  number=$1 type=$2 options=$3 tag=$4 folder=$5 place=$6 mode=${7-}
  options=$options$(ninep_cache)
  made=
  [ -d "$folder" ] || made=yes
  parents='' parent=${folder%/*}
  while [ -n "$parent" ] && [ ! -d "$parent" ]; do
    parents="$parents$parent
"
    parent=${parent%/*}
  done
  if ! said=$(mkdir -p "$folder" 2>&1); then
    report "$number error $place $(explain "$said")"
    return
  fi
  if [ -n "$parents" ]; then
    # In parentheses, or dash keeps our output open, and whoever reads it waits too.
    (hand_over "$parents") </dev/null >/dev/null 2>&1 &
  fi
  # By the name that /proc/mounts has for it, whatever links lead there.
  folder=$(cd "$folder" && pwd -P)
  find_mount
  if [ -n "$mounted" ] && [ "$mounted" != "$type $tag" ]; then
    # Mounted over it, the share would hide what the guest has there.
    report "$number error $place the folder is busy: ${mounted%% *} is mounted there"
    return
  fi
  [ -n "$mounted" ] || said=$(mount -t "$type" -o "$options" -- "$tag" "$folder" 2>&1)
  # Its exit status proves nothing: busybox's mount takes some tags for options.
  find_mount
  if [ "$mounted" = "$type $tag" ]; then
    [ -z "$mode" ] || chmod "$mode" "$folder" 2>/dev/null
    report "$number ok $place"
  else
    # An empty folder would take what is meant for the share.
    [ -z "$made" ] || rmdir "$folder" 2>/dev/null
    report "$number error $place $(explain "$said")"
  fi
}

)sh";

constexpr std::string_view unmount_function = R"sh(
# unmount_share NUMBER TYPE TAG FOLDER: unmounts one share, so that nothing uses it any more.
unmount_share() {
  number=$1 type=$2 tag=$3 folder=$4
  real=$(cd "$folder" 2>/dev/null && pwd -P) && folder=$real
  find_mount
  if [ "$mounted" = "$type $tag" ]; then
    said=$(umount "$folder" 2>&1)
    find_mount
    if [ "$mounted" = "$type $tag" ]; then
      report "$number kept $(explain "$said")"
      return
    fi
    rmdir "$folder" 2>/dev/null
  fi
  while read -r its_tag its_folder its_type rest; do
    decode "$its_tag"
    [ "$its_type $decoded" = "$type $tag" ] || continue
    report "$number kept it is mounted at $its_folder too"
    return
  done </proc/mounts
  report "$number gone"
}

)sh";

/// The `cache=` of a 9p mount; empty leaves it to the script, which knows the guest's kernel:
/// `readahead`, or none where a read without one always returns.
///
/// Without a cache the guest sees every change of the host at once, but a shared writable mmap
/// fails. With `readahead` it looks again at each open. `mmap` allows that and, from kernel 6.4 on,
/// also keeps file contents until the next open: 9p has nothing nearer to "metadata" that every
/// kernel knows. `loose` never looks again at what it has cached.
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
  std::vector<std::string> words = {
      "mount_share",        std::to_string(share.number), std::string(word_for(share.driver)),
      mount_options(share), shell_quote_ascii(share.tag), shell_quote_ascii(share.mount),
      place_word(share)};
  // In mapped mode the root of the export shows its host owner, so an ordinary guest user could not
  // write there. The mode is kept in an extended attribute; the host folder's own does not change.
  // For everybody rather than one user: at the first boot this runs before there are users. Not
  // with the other modes, where it would change the host folder itself.
  if (share.accessmode == AccessMode::mapped && !share.readonly) words.emplace_back("a+rwx");
  return fmt::format("{}\n", fmt::join(words, " "));
}

/// Everything before the calls.
std::string script_head() {
  return fmt::format(
             "#!/bin/sh\n"
             "# Made by vm-runner: mounts the shares of this machine at every boot, and never "
             "fails "
             "it.\n"
             "set -u\n"
             "wanted_port={}\n",
             report_port) +
         std::string(functions);
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

/// `text` with only those bytes as they are that no shell and no reader of a word minds.
std::string percent_encode(std::string_view text, std::string_view plain_marks) {
  std::string encoded;
  for (const char c : text) {
    const bool is_letter = ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
    const bool is_plain = is_letter || is_ascii_digit(c) || plain_marks.find(c) != plain_marks.npos;
    encoded += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace

std::string place_word(const Share& share) {
  return percent_encode(share.tag, "._-") + ":" + percent_encode(share.mount, "._-/");
}

std::string mount_command(const Share& share) {
  return shell_join({"mount", "-t", std::string(word_for(share.driver)), "-o", mount_options(share),
                     "--", share.tag, share.mount});
}

std::string unmount_script(const Share& share) {
  const std::vector<std::string> words = {
      "unmount_share", std::to_string(share.number), std::string(word_for(share.driver)),
      shell_quote_ascii(share.tag), shell_quote_ascii(share.mount)};
  return fmt::format("{}{}{}\n", script_head(), unmount_function, fmt::join(words, " "));
}

std::string mount_added_script(const std::vector<Share>& shares) {
  // A folder before those below it, or it would hide them.
  const auto depth = [](const Share& share) {
    return std::count(share.mount.begin(), share.mount.end(), '/');
  };
  std::vector<Share> by_depth = shares;
  std::stable_sort(by_depth.begin(), by_depth.end(),
                   [&](const Share& a, const Share& b) { return depth(a) < depth(b); });

  std::string script = script_head();
  script += home_functions;
  script += mount_function;
  script += load_modules(shares);
  for (const Share& share : by_depth) script += mount_call(share);
  return script;
}

std::string mount_script(const std::vector<Share>& shares) {
  return mount_added_script(shares) + "report 'done'\nexit 0\n";
}

}  // namespace vmr
