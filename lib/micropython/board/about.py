# What the interpreter is: which compiled files it loads, and where it looks for modules.
import sys, json, binascii


def main():
    return [getattr(sys.implementation, "_mpy", 0), list(sys.path)]
