# Evaluates an expression, calls a function, or sets a name, with values that come and go as JSON. What JSON has
# no shape for is tagged; keys that are no text are told as Python writes them, but
# for a dict in which two would be the same: that is told as a whole.
import json, binascii, builtins


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
        keys = [k if isinstance(k, str) else repr(k) for k in v]
        if len(set(keys)) == len(keys):
            return tagged("dict", [[k, shape(x)] for k, x in zip(keys, v.values())])
    return tagged("repr", repr(v))


def unshape(v):
    if isinstance(v, list):
        return [unshape(x) for x in v]
    if not isinstance(v, dict):
        return v
    for kind, x in v.items():
        if kind == "$bytes":
            return binascii.a2b_base64(x)
        if kind == "$dict":
            return {k: unshape(y) for k, y in x}
        return int(x) if kind == "$int" else float(x)


def find(name):
    parts = name.split(".")
    head = parts[0]
    if head in globals():
        v = globals()[head]
    elif hasattr(builtins, head):
        v = getattr(builtins, head)
    else:
        v = __import__(head)
    for i in range(1, len(parts)):
        if not hasattr(v, parts[i]):
            try:
                __import__(".".join(parts[: i + 1]))
            except ImportError:
                pass
        v = getattr(v, parts[i])
    return v


def main(what, name, *values):
    values = [unshape(v) for v in values]
    if what == "set":
        globals()[name] = values[0]
    elif what == "call":
        return shape(find(name)(*values[0], **values[1]))
    else:
        return shape(eval(name, globals()))
