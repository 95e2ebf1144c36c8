# Looks at files and changes them, many in one go. Each answer is a line of its own; an error of the file
# system is an answer too: {"errno": number, "path": path}.
import os, json, binascii


def join(folder, name):
    return folder + name if folder[-1:] == "/" else folder + "/" + name


def is_folder(path):
    return path == "/" or os.stat(path)[0] & 0x4000 != 0


def sha256(disk, path, buffer):
    import hashlib

    h = hashlib.sha256()
    with disk.open(path, "rb") as f:
        n = f.readinto(buffer)
        while n:
            h.update(buffer[:n])
            n = f.readinto(buffer)
    return binascii.b2a_base64(h.digest()).decode().strip()


def file(disk, path, size, hashed):
    return [path, size, sha256(disk, path, memoryview(bytearray(1024)))] if hashed else [path, size]


def stat(path, hashed):
    yield [path] if is_folder(path) else file(Mounted, path, os.stat(path)[6], hashed)


# Folders before what is in them.
def tree(path, hashed, deep):
    if not is_folder(path):
        yield from stat(path, hashed)
        return
    disk = looker()
    folders = [path]
    while folders:
        folder = folders.pop()
        for name, kind, *more in list(disk.ilistdir(folder)):
            found = join(folder, name)
            if not kind & 0x4000:
                yield file(disk, found, more[1] if len(more) > 1 else disk.stat(found)[6], hashed)
                continue
            yield [found]
            if deep:
                folders.append(found)


def space(path):
    fs = looker().statvfs(path)
    yield [fs[1] * fs[2], fs[1] * fs[3], fs[1]]


def mkdir(path):
    at = path.find("/", 1)
    while at > 0:
        make(path[:at])
        at = path.find("/", at + 1)
    yield make(path)


def make(path):
    try:
        os.mkdir(path)
        return True
    except OSError as e:
        if e.args[0] != 17:
            raise
        if not is_folder(path):
            raise OSError(20, path)
        return False


# Makes the folders on the way to a place, where nothing may be but a file that a file may take the place of.
def clear_way(source, to, force):
    parent = to[: to.rfind("/")]
    if parent:
        for _ in mkdir(parent):
            pass
    try:
        occupied = is_folder(to)
    except OSError as e:
        if e.args[0] != 2:
            raise
        return
    if occupied:
        raise OSError(21, to)
    if is_folder(source):
        raise OSError(20, to)
    if not force:
        raise OSError(17, to)


def move(source, to, force):
    os.stat(source)
    clear_way(source, to, force)
    os.rename(source, to)
    yield True


def copy(source, to, force):
    # What is copied into itself is copied once.
    found = list(tree(source, False, True))
    deep = is_folder(source)
    clear_way(source, to, force)
    if deep:
        make(to)
    home = root_of(to, looker() is not Mounted) + BESIDE
    make(home)
    try:
        for path, *size in found:
            target = to + path[len(source) :]
            if size:
                try:
                    copy_file(path, home + "/new", target)
                except OSError as e:
                    raise OSError(e.args[0], target)
                yield target
            else:
                make(target)
    finally:
        attempt(os.rmdir, home)


# Whole or not at all: written beside, then renamed.
def copy_file(source, part, to):
    buffer = memoryview(bytearray(1024))
    try:
        with open(source, "rb") as old, open(part, "wb") as new:
            n = old.readinto(buffer)
            while n:
                new.write(buffer[:n])
                n = old.readinto(buffer)
        os.rename(part, to)
    except BaseException:
        attempt(os.remove, part)
        raise


# Where the files of the root are, whether as FAT, and how else littlefs is made there: as MicroPython does it at its
# first start, by inisetup.py or _boot.py of its ports. A Pico that shows its files to the computer has FAT.
def root_disk():
    try:
        from flashbdev import bdev

        return bdev, hasattr(bdev, "info") and bdev.info()[4] == "ffat", {}
    except ImportError:
        pass
    try:
        from rp2 import Flash
    except ImportError:
        raise OSError(95)
    disk = Flash()
    head = bytearray(512)
    disk.readblocks(0, head)
    return disk, bytes(head[510:]) == b"\x55\xaa" and bytes(head).find(b"littlefs") < 0, {"progsize": 256}


def format(path):
    try:
        import vfs
    except ImportError:
        vfs = os
    disk, fat, options = root_disk()
    os.chdir("/")
    vfs.umount("/")
    try:
        if fat:
            vfs.VfsFat.mkfs(disk)
        else:
            vfs.VfsLfs2.mkfs(disk, **options)
    finally:
        vfs.mount(vfs.VfsFat(disk) if fat else vfs.VfsLfs2(disk, **options), "/")
    yield from space("/")


# What is in a folder before the folder.
def remove(path, deep):
    if is_folder(path) and deep:
        found = [e[0] for e in tree(path, False, True)]
        for each in reversed(found):
            delete(each)
            yield each
    delete(path)
    yield path


# Each by itself; what is gone already is.
def purge(paths):
    for path in paths:
        try:
            delete(path)
        except OSError as e:
            if e.args[0] != 2:
                yield {"errno": e.args[0], "path": path}
                return
        yield path


def delete(path):
    try:
        os.remove(path)
    except OSError:
        # FAT takes no folders here.
        os.rmdir(path)


def main(operation, *args):
    work = {
        "tree": tree,
        "stat": stat,
        "space": space,
        "mkdir": mkdir,
        "move": move,
        "copy": copy,
        "format": format,
        "remove": remove,
        "purge": purge,
    }
    try:
        yield from work[operation](*args)
    except OSError as e:
        # What is in the way is not always what was asked for.
        yield {"errno": e.args[0], "path": e.args[1] if len(e.args) > 1 else args[0]}
