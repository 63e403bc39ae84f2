# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the two guest builders share: build once, publish whole, and make an initramfs out of
# busybox and the few kernel modules that are needed. Sourced, never run.

# Below a home, vm-runner passes over what others may write to.
umask 022

die() {
  printf 'error: %s\n' "$1" >&2
  [[ -z ${2:-} ]] || printf '  hint:  %s\n' "$2" >&2
  exit 1
}

usage() { die "usage: ${0##*/} [--output DIR]"; }

done_already() {
  [[ -e $output/recipe.sha256 && $(<"$output/recipe.sha256") == "$stamp" ]] || return 0
  echo "$1: already made, in $output"
  exit 0
}

# begin_build NAME RECIPE-FILE... -- [--output DIR]: reads the arguments; ends the script when the
# guest is there already. Sets `arch` and `console`, QEMU's name of this machine's architecture and
# the kernel's of its serial port, `output`, and `work`, an empty folder on the same file system that
# `publish` renames to it. The recipe is the named files (beside scripts/), the machine's release,
# and what the caller has set `variant` to.
begin_build() {
  local name=$1 parent; shift
  local -a recipe=()
  while [[ $1 != -- ]]; do recipe+=("$scripts/$1"); shift; done
  shift
  case $# in
    0) output=${XDG_CACHE_HOME:-$HOME/.cache}/vm-runner/$name ;;
    2) [[ $1 == --output && -n $2 ]] || usage; output=$2 ;;
    *) usage ;;
  esac
  case $(dpkg --print-architecture) in
    amd64) arch=x86_64 console=ttyS0 ;;
    arm64) arch=aarch64 console=ttyAMA0 ;;
    *) die "the guest is one for amd64 or arm64, and this machine is neither" "make it on such a machine and copy the folder" ;;
  esac

  mkdir -p "$(dirname "$output")"
  parent=$(cd "$(dirname "$output")" && pwd)
  output=$parent/$(basename "$output")
  stamp=$({ cat "${recipe[@]}"; grep ^VERSION_CODENAME= /etc/os-release; printf %s "${variant:-}"; } | sha256sum | cut -d' ' -f1)
  done_already "$name"

  # One build at a time in a folder; the lock is on the folder itself, so it leaves no file behind.
  exec {lock}<"$parent"
  flock "$lock"
  done_already "$name"
  if [[ -e $output && ! -e $output/recipe.sha256 && -n $(ls -A "$output") ]]; then
    die "$output exists and was not made by this script" "name another folder with --output, or move that one away"
  fi
  work=$output.unfinished
  as_root=()
  rm -rf "$work"
  # Without -p: a folder that somebody else has put there meanwhile is not taken, nor removed.
  mkdir "$work" || die "$work could not be made" "name a folder with --output that only you can write to"
  trap clean_up EXIT
  mkdir "$work/guest"
}

# Whatever ends the script ends what it started too: a command still at work would write into the
# folder that is being removed.
clean_up() {
  local status=$?
  local -a children
  trap - EXIT
  read -ra children <"/proc/$$/task/$$/children" || true
  if kill "${children[@]}" 2>/dev/null; then wait "${children[@]}" 2>/dev/null || true; fi
  "${as_root[@]}" rm -rf "$work"
  exit "$status"
}

# publish NAME: puts the finished guest in place, whole.
publish() {
  echo "$stamp" >"$work/guest/recipe.sha256"
  [[ ! -e $output ]] || mv "$output" "$work/old"
  mv "$work/guest" "$output"
  echo "$1: made in $output ($(du -sh "$output" | cut -f1), ${SECONDS} s)"
}

# unpack_kernel VMLINUZ FILE: the kernel as QEMU starts it. On x86 that is the ELF file inside a
# bzImage: QEMU starts it directly (PVH), and the guest need not decompress it first, which takes
# three seconds under emulation.
# Offsets: the kernel's Documentation/arch/x86/boot.rst.
unpack_kernel() {
  local sectors offset length magic unpack
  if [[ $arch != x86_64 ]]; then
    cp "$1" "$2"
    return
  fi
  sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$1")
  read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$1")
  offset=$(((sectors + 1) * 512 + offset))
  magic=$(od -An -tx4 -j "$offset" -N 4 --endian=big "$1")
  case $magic in
    *fd377a58) unpack=(xz -dc) ;;
    *28b52ffd) unpack=(zstd -qdc) ;;
    *) die "this kernel is compressed in a way that is not known here (it starts with $magic)" "teach unpack_kernel in scripts/guest/common.sh" ;;
  esac
  # The last four bytes of the payload are its unpacked size.
  dd if="$1" iflag=skip_bytes,count_bytes skip="$offset" count=$((length - 4)) bs=1M status=none | "${unpack[@]}" >"$2"
}

# bare_module FILE TO: the kernel module unpacked and without its signature. Nothing here asks for
# signed modules, and checking one takes the kernel a tenth of a second under emulation.
bare_module() {
  local length
  case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -qdc "$1" ;;
    *) cat "$1" ;;
  esac >"$2"
  [[ $(tail -c 28 "$2" | tr -d '\0') == '~Module signature appended~' ]] || return 0
  length=$(tail -c 32 "$2" | od -An -tu4 --endian=big -N 4)
  truncate -s "-$((length + 40))" "$2"
}

# add_modules TREE FOLDER NAME...: modules of an unpacked kernel, bare, with all that they depend
# on. One that is not there is built into the kernel.
add_modules() {
  local tree=$1 folder=$2 name file; shift 2
  local -a needed
  mkdir -p "$folder"
  for name; do
    file=$(find "$tree" -name "${name//[_-]/[_-]}.ko*" -print -quit)
    [[ -n $file && ! -e $folder/$name.ko ]] || continue
    bare_module "$file" "$folder/$name.ko"
    # The kernel's own words, NUL-separated in the module's .modinfo section.
    read -ra needed < <(tr '\0' '\n' <"$folder/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' ') || true
    add_modules "$tree" "$folder" "${needed[@]}"
  done
}

# pack_initrd ROOT FILE: uncompressed, because emulation unpacks slower than it reads.
pack_initrd() {
  (cd "$1" && find . -print0 | sort -z | cpio --null --create --format=newc --owner=0:0 --reproducible --quiet) >"$2"
}
