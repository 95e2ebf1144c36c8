"""A device on a pty that takes nothing more before its own output is read. For tests.

Prints the path of the pty; after a line on stdin it writes 300 000 bytes, then reads as many and prints "done".
"""

import os
import sys
import tty

COUNT = 300_000

device, port = os.openpty()
tty.setraw(port)
print(os.ttyname(port), flush=True)
sys.stdin.readline()
written = 0
while written < COUNT:
    written += os.write(device, b"x" * 1000)
read = 0
while read < COUNT:
    read += len(os.read(device, 65536))
print("done", flush=True)
