# What receive.py is built on, where the firmware lacks modules: the decoder of older ones, or none; CRC-32.
try:
    from hashlib import sha256 as hasher

    CHECK = "sha256"
except ImportError:
    CHECK = "crc32"

    class hasher:
        def __init__(self):
            self.crc = 0

        def update(self, data):
            self.crc = binascii.crc32(data, self.crc)

        def digest(self):
            return struct.pack("<I", self.crc & 0xFFFFFFFF)


def inflater(source, bits):
    try:
        import deflate

        return deflate.DeflateIO(source, deflate.RAW, bits)
    except ImportError:
        pass
    for name in ("zlib", "uzlib"):
        try:
            return __import__(name).DecompIO(source, -bits)
        except (ImportError, AttributeError):
            pass
