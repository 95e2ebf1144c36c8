# The board's end of an upload where the firmware is too old for receive.py: a file comes in pieces, each a line of
# code.
import os, gc


def _upload_begin(path):
    global _upload_path, _upload_file
    if hasattr(os, "mkdir"):
        at = path.find("/", 1)
        while at > 0:
            try:
                os.mkdir(path[:at])
            except OSError as e:
                if e.args[0] != 17:
                    raise
            at = path.find("/", at + 1)
    else:
        # No folders: the root has no name either.
        path = path[1:]
    _upload_path = path
    _upload_file = open(path + ".part", "wb")


def _upload_put(data):
    _upload_file.write(data)
    gc.collect()


# From the begin, one after the other.
def _upload_read(size, again):
    global _upload_file
    if again:
        _upload_file.close()
        _upload_file = open(_upload_path + ".part", "rb")
    print(_upload_file.read(size))
    gc.collect()


def _upload_end():
    _upload_file.close()
    part = _upload_path + ".part"
    if hasattr(os, "rename"):
        os.rename(part, _upload_path)
        return
    # Without a way to rename, power must not go now.
    with open(part, "rb") as f:
        with open(_upload_path, "wb") as to:
            data = f.read(64)
            while data:
                to.write(data)
                data = f.read(64)
    os.remove(part)


def _upload_drop():
    try:
        _upload_file.close()
        os.remove(_upload_path + ".part")
    except (OSError, NameError):
        pass
