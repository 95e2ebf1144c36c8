# Compiles a file without running it: nothing, or what the compiler says. Without a compiler in the firmware
# that can be asked, False.
import gc, io, json, sys, binascii


def main(path):
    gc.collect()
    try:
        with open(path) as f:
            compile(f.read(), path, "exec")
        return None
    except NameError:
        return False
    except Exception as e:
        out = io.StringIO()
        sys.print_exception(e, out)
        return out.getvalue()
