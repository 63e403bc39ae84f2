# SPDX-License-Identifier: MIT
"""The settings of shares that are tried against each other. The first of each list is what the others are held against."""
from dataclasses import dataclass, field

BASE_9P = "trans=virtio,version=9p2000.L,"


@dataclass
class Setting:
    """A share's settings; `{source}` stands for its folder. `daemon`: virtiofsd's arguments; none: 9p. `modes`: whether
    it can change what one side sees of the other."""
    name: str
    daemon: list[str] | None = None
    device: str = ""
    fsdev: str = "security_model=passthrough,multidevs=remap"
    mount: str = BASE_9P + "msize=512000"
    modes: bool = False


@dataclass
class Group:
    title: str
    where: str  # host, container
    settings: list[Setting]
    other_kernel: bool = False  # the demo guest's, which is newer than the tiny guest's
    series: list = field(default_factory=list)


def ninep(name: str, mount: str, modes: bool = False) -> Setting:
    return Setting(name, mount=BASE_9P + mount, modes=modes)


def exported(name: str, fsdev: str) -> Setting:
    return Setting(name, fsdev=fsdev)


def c_daemon(name: str, *options: str, device: str = "queue-size=1024", modes: bool = False) -> Setting:
    words = ["source={source}", *options]
    return Setting(name, [word for option in words for word in ("-o", option)], device, modes=modes)


def rust_daemon(name: str, *options: str, device: str = "queue-size=1024", modes: bool = False) -> Setting:
    return Setting(name, ["--shared-dir", "{source}", "--sandbox", "chroot", *options], device, modes=modes)


NINEP = [
    ninep("msize-512000", "msize=512000", modes=True), ninep("again", "msize=512000"),
    ninep("msize-8192", "msize=8192"), ninep("msize-128K", "msize=131072"), ninep("msize-500K", "msize=507904"),
    ninep("msize-1M", "msize=1048576"),
    ninep("mmap", "msize=512000,cache=mmap", modes=True), ninep("loose", "msize=512000,cache=loose", modes=True),
    ninep("fscache", "msize=512000,cache=fscache"),
    exported("warn", "security_model=passthrough,multidevs=warn"),
    exported("forbid", "security_model=passthrough,multidevs=forbid"),
    exported("mapped", "security_model=mapped-xattr,multidevs=remap,fmode=0644,dmode=0755"),
    exported("none", "security_model=none,multidevs=remap"),
]
NINEP_NEWER = [
    ninep("msize-512000", "msize=512000", modes=True), ninep("again", "msize=512000"),
    ninep("readahead", "msize=512000,cache=readahead", modes=True), ninep("mmap", "msize=512000,cache=mmap", modes=True),
    ninep("loose", "msize=512000,cache=loose", modes=True),
]
# With a pool of four or more threads this daemon is killed by its own system call filter (sched_getaffinity).
C_DAEMON = [
    c_daemon("auto", modes=True), c_daemon("again"),
    c_daemon("queue-128", device="queue-size=128"), c_daemon("queue-256", device="queue-size=256"),
    c_daemon("none", "cache=none", modes=True), c_daemon("always", "cache=always", modes=True),
    c_daemon("writeback", "writeback", modes=True), c_daemon("xattr", "xattr"), c_daemon("direct-io", "allow_direct_io"),
    c_daemon("submounts", "announce_submounts"), c_daemon("no-readdirplus", "no_readdirplus"),
    c_daemon("no-killpriv", "no_killpriv_v2"),
]
# With num-request-queues=2 this daemon ends as soon as QEMU connects (InvalidParam).
RUST_DAEMON = [
    rust_daemon("auto", modes=True), rust_daemon("again"),
    rust_daemon("queue-128", device="queue-size=128"), rust_daemon("queue-256", device="queue-size=256"),
    rust_daemon("never", "--cache=never", modes=True), rust_daemon("never-mmap", "--cache=never", "--allow-mmap", modes=True),
    rust_daemon("metadata", "--cache=metadata", modes=True), rust_daemon("always", "--cache=always", modes=True),
    rust_daemon("writeback", "--writeback", modes=True),
    rust_daemon("pool-1", "--thread-pool-size=1"), rust_daemon("pool-4", "--thread-pool-size=4"),
    rust_daemon("pool-64", "--thread-pool-size=64"), rust_daemon("xattr", "--xattr"),
    rust_daemon("direct-io", "--allow-direct-io"), rust_daemon("no-submounts", "--no-announce-submounts"),
    rust_daemon("no-readdirplus", "--no-readdirplus"), rust_daemon("killpriv", "--killpriv-v2"),
    rust_daemon("file-handles", "--inode-file-handles=prefer"),
]
RUST_NEWER = [setting for setting in RUST_DAEMON if setting.modes] + [
    rust_daemon("pool-4", "--thread-pool-size=4"), rust_daemon("queue-128", device="queue-size=128")]


def groups() -> list[Group]:
    return [
        Group("9p, QEMU 7.2, kernel 6.1", "host", NINEP),
        Group("9p, QEMU 7.2, kernel 6.12", "host", NINEP_NEWER, other_kernel=True),
        Group("virtiofs, C virtiofsd, kernel 6.1", "host", C_DAEMON),
        Group("virtiofs, Rust virtiofsd, kernel 6.1", "container", RUST_DAEMON),
        Group("virtiofs, Rust virtiofsd, kernel 6.12", "container", RUST_NEWER, other_kernel=True),
    ]
