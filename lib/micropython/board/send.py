# Sends pieces of files: a frame is the byte 1e, a header, data, a checksum, and the byte 1e again. Bytes
# that mean something on the way are written as 10 and the byte with bit 6 turned over.
#
# Header: kind, number of the piece, place in the file. Kinds: 0 data, 1 deflated data, 2 the end of the
# piece (with no data), 3 an error of the file system (its number in place of the place).
import sys, io, struct, binascii, json


def packer():
    try:
        import deflate

        def pack(data):
            out = io.BytesIO()
            with deflate.DeflateIO(out, deflate.RAW, 10) as d:
                d.write(data)
            return out.getvalue()

        pack(b"x")
        return pack
    except (ImportError, OSError, AttributeError):
        return None


def escaped(data):
    for c in b"\x10\x04\x0a\x0d\x1e":
        c = bytes((c,))
        if c in data:
            data = data.replace(c, bytes((16, c[0] ^ 64)))
    return data


def frame(kind, number, at, data=b""):
    data = struct.pack("<BHI", kind, number, at) + data
    data += struct.pack("<I", binascii.crc32(data) & 0xFFFFFFFF)
    sys.stdout.buffer.write(b"\x1e" + escaped(data) + b"\x1e")


def send(disk, number, path, at, end, block, pack):
    with disk.open(path, "rb") as f:
        f.seek(at)
        while end is None or at < end:
            data = f.read(block if end is None else min(block, end - at))
            if not data:
                break
            packed = pack(data) if pack else data
            if len(packed) < len(data):
                frame(1, number, at, packed)
            else:
                frame(0, number, at, data)
            at += len(data)
    frame(2, number, at)


def main(pieces, block):
    pack = packer()
    disk = looker() if len(pieces) > 3 else Mounted
    for number, (path, at, end) in enumerate(pieces):
        try:
            send(disk, number, path, at, end, block, pack)
        except OSError as e:
            frame(3, number, e.args[0])
    return len(pieces)
