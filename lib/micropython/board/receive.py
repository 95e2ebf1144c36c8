# Receives one file from stdin, whole or not at all: written beside, hashed, renamed over.
#
# It comes in blocks: 01, two bytes of length (low first), data; zeros end it. The board paces the host:
# every byte 01 it prints invites 128 bytes more. Nothing is invited beyond the end of a block, as the input
# ring holds 260 bytes and nothing reads it while the block is written to the disk. Ctrl-C is only data
# meanwhile; a host that gives up sends zeros until this ends.
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


def read(poll, view):
    if not poll.poll(3000):
        raise OSError(110)
    sys.stdin.buffer.readinto(view)


def receive(poll, view):
    header = bytearray(3)
    sys.stdout.write("\x01")
    read(poll, header)
    if header[0] == 0:
        return 0
    got = 3
    granted = WINDOW
    total = 3 + header[1] + (header[2] << 8)
    while got < total:
        while granted < total and granted - got <= WINDOW:
            sys.stdout.write("\x01")
            granted += WINDOW
        n = min(WINDOW - got % WINDOW, total - got)
        read(poll, view[got - 3 : got - 3 + n])
        got += n
    return total - 3


def copy(path, poll):
    buffer = memoryview(bytearray(BLOCK))
    with open(path, "wb") as f:
        n = receive(poll, buffer)
        while n:
            f.write(buffer[:n])
            n = receive(poll, buffer)


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
        copy(part, poll)
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
