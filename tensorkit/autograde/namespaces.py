"""A few of Linux's system calls that Python 3.11 does not have: new namespaces, mounts, rights.

bubblewrap uses the same ones. They are needed here because a process that has loaded its modules
can be forked in milliseconds, but not started by another program.
"""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MS_RDONLY, MS_REMOUNT, MS_NOATIME = 1, 32, 1024
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAPABILITIES = 64  # as many as the kernel's interface has room for


def unshare() -> None:
    """Leave the namespaces of mounts, processes, network, names and shared memory. OSError.

    Without the rights of root also that of users: Linux counts processes in each of them, so that
    one sandbox cannot use up the share of another. As root each has a user of its own for that.
    """
    user, group = os.geteuid(), os.getegid()
    spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS
    _call("unshare", spaces | (CLONE_NEWUSER if user else 0))
    if user:
        for name, text in (
            ("uid_map", f"{user} {user} 1"),
            ("setgroups", "deny"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    # what is mounted from now on is seen by nobody else
    _mount(None, "/", None, MS_REC | MS_PRIVATE)


def bind(source: str, target: str) -> None:
    """Show a folder at a second place."""
    _mount(source, target, None, MS_BIND | MS_REC)


def read_only(target: str) -> None:
    """Forbid writing to a folder that `bind` has shown."""
    kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME)
    _mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def temporary(target: str, size: int, mode: str) -> None:
    """Cover a folder with an empty one in memory."""
    _mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},mode={mode}")


def processes() -> None:
    """Show at /proc only the processes of this namespace."""
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def give_up_rights() -> None:
    """Drop every capability, for this process and all that it will start, for good."""
    for number in range(CAPABILITIES):
        _libc().prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # numbers that do not exist fail
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else options.encode("ascii")
    _call("mount", *texts, ctypes.c_ulong(flags), data)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc(), name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
