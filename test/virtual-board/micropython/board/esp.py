# The esp module: the raw flash and the chip's log.
import _board
import uctypes

LOG_NONE = 0
LOG_ERROR = 1
LOG_INFO = 3
LOG_DEBUG = 4


def osdebug(uart=None, level=None):
    pass


def flash_size():
    return _board.flash_size


def flash_user_start():
    return _board.vfs_offset


def flash_read(offset, buf):
    _board.flash_read(offset, uctypes.addressof(buf), len(buf))


def flash_write(offset, buf):
    _board.flash_write(offset, uctypes.addressof(buf), len(buf))


def flash_erase(sector):
    _board.flash_erase(sector)
