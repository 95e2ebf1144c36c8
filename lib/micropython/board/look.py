# Looks at the disk by a second file system on the same flash, which takes 512 bytes at a time where the mounted one
# takes 32: to find a file, littlefs goes backwards through all that it has noted of each folder on the way, so that
# many files are found ten times as fast. Only to read, and as long as nothing is written.
import os, io


class Mounted:
    stat = os.stat
    ilistdir = os.ilistdir
    statvfs = os.statvfs
    open = io.open


# Where there is more than one file system, or another at the root than the flash has, the mounted ones are looked at;
# so they are by firmware without such a disk. "/" begins with its mounts, and is long to read.
def looker():
    try:
        from flashbdev import bdev
        from vfs import VfsLfs2

        disk = VfsLfs2(bdev, readsize=512, mtime=False)
        if first(disk) == first(os):
            return disk
    except Exception:
        pass
    return Mounted


def first(disk):
    return [entry for _, entry in zip(range(3), disk.ilistdir("/"))]
