# Runs a file as the program it is: its names stay for whoever asks next.
import json, binascii


def main(path):
    with open(path) as f:
        source = f.read()
    exec(compile(source, path, "exec"), globals())
