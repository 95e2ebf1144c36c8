# The board's end of an upload. Files come as one stream, in packets (packets.py), deflated or not. Of each: the length
# of its path, its size and the length of its check; path, check, content; at the end a path of no length. Each is
# written, read back, and renamed over the old one. Ctrl-C is data meanwhile.
import sys, os, io, gc, json, struct, micropython


# What the packets carry. Its buffers are made once: the heap is small, and falls to pieces. `most`: bytes of a packet.
class Stream:
    def __init__(self, line, most):
        size = 8192
        bits = 14
        gc.collect()
        while size > most or size > 512 and gc.mem_free() < 12 * size:
            size >>= 1
            bits -= 1
        self.line = line
        self.body = memoryview(bytearray(size))
        self.out = memoryview(bytearray(size >> 1))
        self.source = io.BytesIO(size + 16)
        self.inflate = inflater(self.source, bits)
        self.end = self.left = 0
        line.hello = "H" + json.dumps([size, bits if self.inflate else 0, CHECK])

    # At most so many bytes, good until the next call.
    def some(self, most):
        if not self.left:
            self.next()
        n = min(most, self.left, len(self.out))
        self.left -= n
        data = self.out[:n]
        if self.deflated:
            self.inflate.readinto(data)
        else:
            data[:] = self.data[:n]
            self.data = self.data[n:]
        return data

    def next(self):
        kind, self.data, self.left = self.line.packet(self.body)
        self.deflated = kind == 90
        if self.deflated:
            # The decoder takes no more than it needs: the end of what it had last may still be there.
            source = self.source
            rest = source.read(self.end - source.tell())
            source.seek(0)
            source.write(rest)
            source.write(self.data)
            self.end = source.tell()
            source.seek(0)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            data += self.some(n - len(data))
        return data


def make_folder(path):
    try:
        os.mkdir(path)
    except OSError as e:
        if e.args[0] != 17:
            raise


class Disk:
    def __init__(self):
        self.folder = self.root = self.home = self.part = ""
        self.disk = looker()
        self.alone = self.disk is not Mounted

    def prepare(self, path, size):
        folder = path[: path.rfind("/") + 1]
        root = self.root if folder == self.folder else root_of(path, self.alone)
        if root != self.root:
            self.leave()
            self.folder = ""
            self.root = root
            self.home = root + BESIDE
            self.part = self.home + "/new"
            self.room = 0
        self.take(size)
        if not self.folder:
            make_folder(self.home)
        for at in range(1, len(folder)):
            if folder[at] == "/" and not self.folder.startswith(folder[: at + 1]):
                make_folder(folder[:at])
        self.folder = folder

    # Four blocks more than it has are for its folder, and for the one it is written in. What is free takes long to find
    # out, so once does for many files. To ask again takes another looker: the first knows nothing of what was written.
    def take(self, size):
        if size >= self.room:
            self.measure()
            if size > self.room:
                # What an upload that was cut off has left is in the way.
                attempt(os.remove, self.part)
                free = self.measure()
                if size > self.room:
                    raise OSError(28, free)
        self.room -= size + 2 * self.block

    def measure(self):
        fs = (self.disk or looker()).statvfs(self.root)
        self.disk = None
        self.room = fs[1] * fs[3] - 4 * fs[0]
        self.block = fs[0]
        return fs[1] * fs[3]

    def leave(self):
        attempt(os.remove, self.part)
        attempt(os.rmdir, self.home)


def check(path, buffer):
    h = hasher()
    n = 1
    with open(path, "rb") as f:
        while n:
            n = f.readinto(buffer)
            h.update(buffer[:n])
    return h.digest()


def store(disk, stream, path, size, expected):
    disk.prepare(path, size)
    with open(disk.part, "wb") as f:
        while size:
            data = stream.some(size)
            f.write(data)
            size -= len(data)
    if check(disk.part, stream.out)[: len(expected)] != expected:
        raise OSError(5)
    os.rename(disk.part, path)


def files(disk, stream):
    number = 0
    while True:
        length, size, checked = struct.unpack("<HIB", stream.exactly(7))
        if not length:
            return
        path = stream.exactly(length).decode()
        store(disk, stream, path, size, stream.exactly(checked))
        tell("F%d" % number)
        number += 1


def main(turbo, most, *settings):
    line = Line(*settings)
    disk = Disk()
    back = None
    ended = False
    micropython.kbd_intr(-1)
    try:
        if turbo:
            back = faster(line, *turbo)
        files(disk, Stream(line, most))
        ended = True
    except OSError as e:
        # Twice, as nobody asks for it again.
        for _ in range(2):
            tell("E" + json.dumps(e.args))
    finally:
        # What still comes is not for the REPL.
        if not ended:
            line.drain(200)
        disk.leave()
        if back:
            back()
        micropython.kbd_intr(3)
