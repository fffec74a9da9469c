"""Where a file lies: network file systems keep locks badly, and a database there gets damaged sooner or later."""

from __future__ import annotations

from pathlib import Path

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs", "fuse.glusterfs"}
)
_MOUNTS = Path("/proc/self/mounts")


def network_file_system(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of network file system that `path` lies on, or None for a local disk or where nobody knows."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    best, kind = "", ""
    for line in lines:
        _, place, found, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        # Of two mounts on one place the later covers the earlier.
        if len(place) >= len(best) and path.is_relative_to(place):
            best, kind = place, found
    return kind if kind in _NETWORK else None
