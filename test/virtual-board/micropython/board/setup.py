# Makes the bare interpreter an ESP32's. Runs once for each start of the interpreter, before any
# file of the user's, and leaves nothing behind in its namespace.
import _board
import builtins
import gc
import js
import jsffi
import json
import micropython
import os
import select
import sys
import time
import vfs

# Text is cooked and .buffer is raw, so they need descriptors of their own.
_board.descriptors(
    id(sys.stdin.buffer), id(sys.stdout), id(sys.stdout.buffer), id(sys.stderr.buffer)
)


# Its iterator is a built-in read that answers with what is to be raised.
class Raiser:
    __iter__ = sys.stderr.buffer.read


_board.raiser(Raiser())


def patch(owner, **names):
    for name, value in names.items():
        _board.patch(id(owner.__dict__), id(name), id(value))
        kept.append(value)


# The garbage collector does not look for objects in static tables.
kept = []
_board.keep(kept)

_board.string(id(sys.platform), _board.platform)
_board.string(id(sys.implementation._machine), _board.machine)


# --- os ---------------------------------------------------------------------------------------


def entries(text):
    return iter([tuple(entry) for entry in json.loads(text)])


def uname():
    release = ".".join(str(n) for n in sys.implementation.version[:3])
    version = "v" + sys.version.split(" v")[1]
    return Uname(sys.platform, sys.platform, release, version, sys.implementation._machine)


def urandom(n):
    return bytes(_board.random() for _ in range(n))


def sync():
    pass


def dupterm(stream, index=0):
    return None


native_rename = os.rename


# VfsPosix joins both names in one buffer: of two absolute ones, it would see the second twice.
def rename(old, new):
    if new[:1] == "/":
        depth = len([name for name in os.getcwd().split("/") if name])
        new = "../" * depth + new[1:]
    native_rename(old, new)


from collections import namedtuple

Uname = namedtuple("", ("sysname", "nodename", "release", "version", "machine"))
patch(os, rename=rename, uname=uname, urandom=urandom, sync=sync, dupterm=dupterm)
patch(vfs.VfsPosix, ilistdir=_board.list)
_board.type_name(id(vfs.VfsPosix), id("VfsLfs2"))


# What is on the partition is one file system, whatever the block device.
class Lfs2:
    def __call__(self, bdev, *args, **kwargs):
        return vfs.VfsPosix(_board.root)

    def mkfs(self, bdev, *args, **kwargs):
        _board.format()


patch(vfs, VfsLfs2=Lfs2())
_board.lister(entries)


# --- time: whole seconds, and the epoch is 2000 ------------------------------------------------

EPOCH = 946684800
native = {name: getattr(time, name) for name in ("gmtime", "mktime", "time_ns")}


def now():
    return native["time_ns"]() // 1000000000 - EPOCH + _board.clock_offset()


def gmtime(seconds=None):
    return native["gmtime"]((now() if seconds is None else seconds) + EPOCH)


def mktime(fields):
    return native["mktime"](fields) - EPOCH


def time_ns():
    return native["time_ns"]() - EPOCH * 1000000000


patch(time, time=now, gmtime=gmtime, localtime=gmtime, mktime=mktime, time_ns=time_ns)


# --- gc: the heap of an ESP32; what lies there beyond it is garbage not yet collected ------------

collect_native = gc.collect
alloc_native = gc.mem_alloc
garbage = 0


def mem_alloc():
    return min(max(alloc_native() - garbage, 0), _board.heap * 9 // 10)


def mem_free():
    return _board.heap - mem_alloc()


def collect():
    global garbage
    garbage = max(alloc_native() - resident, 0)
    collect_native()
    return 0


def at_top_level():
    # Between two commands: what is allocated now stays.
    global garbage, resident
    garbage = 0
    resident = alloc_native()


patch(gc, collect=collect, mem_alloc=mem_alloc, mem_free=mem_free)

patch(micropython, alloc_emergency_exception_buf=lambda size: None)
builtins.input = _board.input

# --- modules of the chip -----------------------------------------------------------------------

import asyncio
import machine
import esp
import esp32
import network
import flashbdev

sys.path[:] = ["", ".frozen", "/lib"]
for name in _board.lacks.split():
    _board.hide(id(eval("'%s'" % name)), id(__import__(name)))
chip = {
    "asyncio": asyncio,
    "uasyncio": asyncio,
    "machine": machine,
    "esp": esp,
    "esp32": esp32,
    "network": network,
    "flashbdev": flashbdev,
}
for name, module in chip.items():
    kept.append(module)
    _board.module(id(name), id(module))
_board.modules(id("js"), id(js), id("jsffi"))
sys.modules.clear()

vfs.umount("/")
vfs.mount(vfs.VfsPosix(_board.root), "/")
os.chdir("/")
resident = alloc_native()
_board.ready(builtins.compile, builtins.exec, at_top_level)
