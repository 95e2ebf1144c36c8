# What boot code finds here on a board: the partition of the files.
from esp32 import Partition

bdev = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
