# Receives one file from stdin, whole or not at all: written beside, hashed, renamed over.
#
# The board paces the host: every byte 01 it prints invites 128 bytes more. While it writes to its disk
# nothing may be underway, as the input ring holds 260 bytes and interrupts may be off: so nothing is
# invited across the end of a block. Ctrl-C detection is off meanwhile, as the bytes are any bytes.
import sys, os, hashlib, binascii, json, micropython, select

WINDOW = 128
BLOCK = 2048


def make_folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as e:
            if e.args[0] != 17:
                raise
        at = path.find("/", at + 1)


def free_space(path):
    fs = os.statvfs(path[: path.rfind("/")] or "/")
    return fs[1] * fs[3]


def receive(stream, poll, view, count):
    granted = got = 0
    while got < count:
        while granted < count and granted - got <= WINDOW:
            sys.stdout.write("\x01")
            granted += WINDOW
        if not poll.poll(3000):
            raise OSError(110)
        n = min(WINDOW, count - got)
        stream.readinto(view[got : got + n])
        got += n


def copy(path, size, poll):
    stream = sys.stdin.buffer
    buffer = memoryview(bytearray(BLOCK))
    with open(path, "wb") as f:
        while size:
            n = min(size, BLOCK)
            receive(stream, poll, buffer, n)
            f.write(buffer[:n])
            size -= n


def sha256(path):
    h = hashlib.sha256()
    buffer = memoryview(bytearray(512))
    with open(path, "rb") as f:
        n = f.readinto(buffer)
        while n:
            h.update(buffer[:n])
            n = f.readinto(buffer)
    return binascii.hexlify(h.digest()).decode()


def main(path, size, expected):
    make_folders(path)
    free = free_space(path)
    if free < size + 8192:
        return {"free": free}
    part = path + ".part"
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    micropython.kbd_intr(-1)
    try:
        copy(part, size, poll)
        found = sha256(part)
        if found == expected:
            os.rename(part, path)
        else:
            os.remove(part)
        return {"sha256": found}
    except Exception as e:
        try:
            os.remove(part)
        except OSError:
            pass
        raise e
    finally:
        micropython.kbd_intr(3)
