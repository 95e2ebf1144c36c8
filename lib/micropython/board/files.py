# Looks at files and changes them, many in one go. Each answer is a line of its own; an error of the file
# system is an answer too: {"errno": number, "path": path}.
import os, json, binascii


def join(folder, name):
    return folder + name if folder[-1:] == "/" else folder + "/" + name


def is_folder(path):
    return path == "/" or os.stat(path)[0] & 0x4000 != 0


def sha256(path, buffer):
    import hashlib

    h = hashlib.sha256()
    with open(path, "rb") as f:
        n = f.readinto(buffer)
        while n:
            h.update(buffer[:n])
            n = f.readinto(buffer)
    return binascii.b2a_base64(h.digest()).decode().strip()


def entry(path, hashed):
    if is_folder(path):
        return [path]
    size = os.stat(path)[6]
    return [path, size, sha256(path, memoryview(bytearray(1024)))] if hashed else [path, size]


# Folders before what is in them.
def tree(path, hashed, deep):
    if not is_folder(path):
        yield entry(path, hashed)
        return
    folders = [path]
    while folders:
        folder = folders.pop()
        for name in sorted(e[0] for e in os.ilistdir(folder)):
            found = entry(join(folder, name), hashed)
            yield found
            if deep and len(found) == 1:
                folders.append(found[0])


def stat(path, hashed):
    yield entry(path, hashed)


def space(path):
    fs = os.statvfs(path)
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
        if e.args[0] != 17 or not is_folder(path):
            raise
        return False


def move(source, to, force):
    parent = to[: to.rfind("/")]
    if parent:
        for _ in mkdir(parent):
            pass
    try:
        occupied = not is_folder(to)
        if not (occupied and force):
            raise OSError(17)
    except OSError as e:
        if e.args[0] != 2:
            raise
    os.rename(source, to)
    yield True


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
        "remove": remove,
        "purge": purge,
    }
    try:
        yield from work[operation](*args)
    except OSError as e:
        yield {"errno": e.args[0], "path": args[0]}
