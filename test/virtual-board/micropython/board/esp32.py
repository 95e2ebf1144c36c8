# The esp32 module: partitions and a little of the rest.
import _board
import esp

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True
HEAP_DATA = 4
HEAP_EXEC = 1


class Partition:
    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, id, block_size=4096):
        info = _APP if id in (Partition.BOOT, Partition.RUNNING, "factory") else None
        if id == "vfs":
            info = _VFS
        if info is None:
            raise OSError(2)
        self._info = info

    @staticmethod
    def find(type=0, subtype=255, label=None, block_size=4096):
        found = [_APP] if type == Partition.TYPE_APP else [_VFS]
        return [Partition(info[4]) for info in found if label in (None, info[4])]

    def info(self):
        return self._info

    def ioctl(self, op, arg):
        if op == 4:
            return self._info[3] // 4096
        if op == 5:
            return 4096
        if op == 6:
            esp.flash_erase(self._info[2] // 4096 + arg)
        return 0

    def readblocks(self, block, buf, offset=0):
        esp.flash_read(self._info[2] + block * 4096 + offset, buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            offset = 0
            for sector in range((len(buf) + 4095) // 4096):
                self.ioctl(6, block + sector)
        esp.flash_write(self._info[2] + block * 4096 + offset, buf)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        pass

    def set_boot(self):
        pass

    def get_next_update(self):
        raise OSError(-261, "ESP_ERR_NOT_FOUND")

    def __repr__(self):
        return "<Partition type=%d, subtype=%d, address=%d, size=%d, label=%s, encrypted=%d>" % self._info


_APP = (0, 0, 0x10000, 0x1F0000, "factory", False)
_VFS = (1, 129, _board.vfs_offset, _board.vfs_size, "vfs", False)


class NVS:
    _spaces = {}

    def __init__(self, namespace):
        self._values = NVS._spaces.setdefault(namespace, {})

    def set_i32(self, key, value):
        self._values[key] = value

    def get_i32(self, key):
        if key not in self._values:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return self._values[key]

    def set_blob(self, key, value):
        self._values[key] = bytes(value)

    def get_blob(self, key, buf):
        if key not in self._values:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        value = self._values[key]
        buf[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        self._values.pop(key)

    def commit(self):
        pass


def raw_temperature():
    return 128


def idf_heap_info(capabilities):
    return [(7288, 0, 0, 0), (16648, 4, 4, 4), (79912, 79676, 77812, 79676)]
