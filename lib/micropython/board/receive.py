# The board's end of an upload. Files come as one stream, in packets (packets.py), deflated or not. Of each: the length
# of its path, its size and the length of its check; path, check, content; at the end a path of no length. Each is
# written beside, read back, and renamed over the old one. Ctrl-C is data meanwhile.
import sys, os, io, gc, json, struct, micropython


# What the packets carry. Its buffers are made once: the heap is small, and falls to pieces.
class Stream:
    def __init__(self, line):
        size = 8192
        bits = 14
        gc.collect()
        while size > 512 and gc.mem_free() < 12 * size:
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


def make_way(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as e:
            if e.args[0] != 17:
                raise
        at = path.find("/", at + 1)


# Two blocks more than the file has are for its folder.
def make_sure_it_fits(path, size):
    fs = os.statvfs(path[: path.rfind("/")] or "/")
    free = fs[1] * fs[3]
    if size + 2 * fs[0] > free:
        raise OSError(28, free)


def check(path, buffer):
    h = hasher()
    with open(path, "rb") as f:
        n = f.readinto(buffer)
        while n:
            h.update(buffer[:n])
            n = f.readinto(buffer)
    return h.digest()


def store(stream, path, size, expected):
    make_way(path)
    make_sure_it_fits(path, size)
    part = path + ".part"
    try:
        with open(part, "wb") as f:
            while size:
                data = stream.some(size)
                f.write(data)
                size -= len(data)
        if check(part, stream.out)[: len(expected)] != expected:
            raise OSError(5)
        os.rename(part, path)
    except BaseException as e:
        try:
            os.remove(part)
        except OSError:
            pass
        raise e


def files(stream):
    number = 0
    while True:
        length, size, checked = struct.unpack("<HIB", stream.exactly(7))
        if not length:
            return
        path = stream.exactly(length).decode()
        store(stream, path, size, stream.exactly(checked))
        tell("F%d" % number)
        number += 1


def main(turbo, *settings):
    line = Line(*settings)
    back = None
    ended = False
    micropython.kbd_intr(-1)
    try:
        if turbo:
            back = faster(line, *turbo)
        files(Stream(line))
        ended = True
    except OSError as e:
        # Twice, as nobody asks for it again.
        for _ in range(2):
            tell("E" + json.dumps(e.args))
    finally:
        # What still comes is not for the REPL.
        if not ended:
            line.drain(200)
        if back:
            back()
        micropython.kbd_intr(3)
