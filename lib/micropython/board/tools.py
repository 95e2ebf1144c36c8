# What receive.py is built on, with the modules that most firmwares have.
import deflate
from hashlib import sha256 as hasher

CHECK = "sha256"


def inflater(source, bits):
    return deflate.DeflateIO(source, deflate.RAW, bits)
