# Tells of files, of each by one letter, how they are: "-" not there, "d" a folder, "!" of another size or not
# to be hashed here, "=" of the size; and the hashes of the latter in their order. Or, short on the wire, all that
# is in a folder: of each folder the names and sizes of its files.
import os, json, binascii

# Not there; below a file, where there is nothing either; a folder.
ABSENT = (2, 20, 21)


def sha256(f, buffer):
    import hashlib

    h = hashlib.sha256()
    n = f.readinto(buffer)
    while n:
        h.update(buffer[:n])
        n = f.readinto(buffer)
    return h.digest()


# A file is opened at once: to ask for its size first is to look for it twice.
def look(disk, path, size, buffer):
    try:
        with disk.open(path, "rb") as f:
            if f.seek(0, 2) != size:
                return "!", b""
            f.seek(0)
            return "=", sha256(f, buffer)
    except ImportError:
        return "!", b""
    except OSError as e:
        if e.args[0] not in ABSENT:
            raise
    # FAT says of a folder that there is no such file.
    try:
        return "d" if disk.stat(path)[0] & 0x4000 else "!", b""
    except OSError as e:
        if e.args[0] not in ABSENT:
            raise
        return "-", b""


def compare(files):
    disk = looker() if len(files) > 3 else Mounted
    buffer = memoryview(bytearray(1024))
    marks = ""
    hashes = bytearray()
    for path, size in files:
        try:
            mark, digest = look(disk, path, size, buffer)
        except OSError as e:
            return {"errno": e.args[0], "path": path}
        marks += mark
        hashes += digest
    return [marks, binascii.b2a_base64(hashes).decode().strip()]


# What is mounted in the root is no part of it: in its list that has no size, other than a folder.
def walk(folder):
    disk = looker()
    found = []
    folders = [folder]
    while folders:
        at = folders.pop()
        files = []
        try:
            for entry in disk.ilistdir(at):
                path = at.rstrip("/") + "/" + entry[0]
                if at == "/" and len(entry) == 3:
                    continue
                if entry[1] & 0x4000:
                    folders.append(path)
                else:
                    files += [entry[0], entry[3] if len(entry) > 3 else disk.stat(path)[6]]
        except OSError as e:
            return {"errno": e.args[0], "path": at}
        found.append([at, files])
    return found


def main(files, folder):
    return compare(files) if folder is None else walk(folder)
