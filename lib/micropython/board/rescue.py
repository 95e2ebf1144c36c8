# Puts a file that keeps the board busy aside: under another name it is not run, and not lost.
import os, json, binascii


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def main(path):
    if not exists(path):
        return None
    to = path + ".rescued"
    n = 1
    while exists(to):
        n += 1
        to = path + ".rescued" + str(n)
    os.rename(path, to)
    return to
