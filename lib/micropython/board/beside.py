# New files are written in a folder of their own, and then take their places: littlefs goes through all that it has
# noted of a folder to rename out of it, which takes seconds where many files are.
import os

# In the root of each file system.
BESIDE = ".uploading"


# The root of the file system that has a path; `alone`: there is one only. In the list of "/" a mounted one has no size,
# other than a folder.
def root_of(path, alone):
    for entry in () if alone else os.ilistdir("/"):
        root = "/%s/" % entry[0]
        if len(entry) == 3 and path.startswith(root):
            return root
    return "/"


def attempt(work, path):
    try:
        work(path)
    except OSError:
        pass
