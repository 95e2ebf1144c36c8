# Evaluates one expression and tells its value in JSON. What JSON has no shape for is tagged; keys that are
# no text are told as Python writes them.
import json, binascii


def tagged(kind, text):
    return {"$" + kind: text}


def shape(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return v if -(1 << 53) < v < (1 << 53) else tagged("int", str(v))
    if isinstance(v, float):
        return v if v - v == 0 else tagged("float", str(v))
    if isinstance(v, (bytes, bytearray)):
        return tagged("bytes", binascii.b2a_base64(v).decode().strip())
    if isinstance(v, (list, tuple)):
        return [shape(x) for x in v]
    if isinstance(v, dict):
        return tagged("dict", [[k if isinstance(k, str) else repr(k), shape(x)] for k, x in v.items()])
    return tagged("repr", repr(v))


def main(expression):
    return shape(eval(expression, globals()))
