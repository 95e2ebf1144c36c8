# The board's end of a line on which packets come.
#
# Packet: kind, epoch, number (2 bytes), bytes that follow, bytes it stands for (2 each), CRC-32 of all but itself;
# then the bytes.
#
# The board invites: A packet n, and 255 bytes beyond it, which the input ring holds while nothing reads it; a dot tells
# of `every` bytes read. After damage (D) or silence (S) it waits until the line rests, and invites anew under a new
# epoch; packets of an older one are passed over. Where a packet is due, Ctrl-C ends it all, if nothing but keys comes
# with it.
import sys, struct, select, binascii


# `rest`: what an adapter needs beside it, to send it on at once.
def tell(text, rest=""):
    sys.stdout.write("\x1e%s%04x\n%s" % (text, binascii.crc32(text.encode()) & 0xFFFF, rest))


class Line:
    def __init__(self, patience, *pace):
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        self.poll = poll.ipoll
        self.patience = patience
        self.every, self.dot, self.rest = pace
        self.one = memoryview(bytearray(1))
        self.head = memoryview(bytearray(12))
        self.number = self.epoch = 0

    # Returns how many bytes came before the line was silent for so long. Makes no objects, as a collection takes
    # longer than the ring lasts.
    def fill(self, view, ms):
        poll, one, every = self.poll, self.one, self.every
        read, write = sys.stdin.buffer.readinto, sys.stdout.write
        at, end = 0, len(view)
        while at < end:
            came = False
            for came in poll(ms):
                pass
            if not came:
                break
            read(one)
            view[at] = one[0]
            at += 1
            if not at % every:
                write(self.dot)
        return at

    # Lets pass what comes until the line rests.
    def drain(self, ms):
        while self.fill(self.one, ms):
            pass

    # Its kind, its data (in `body`), and the number of bytes it stands for.
    def packet(self, body):
        wait = self.patience
        why = "A"
        while True:
            if not self.number:
                tell(self.hello)
            tell("%s%d,%d" % (why, self.number, self.epoch), self.rest)
            found, got = self.look(body, wait)
            if found:
                self.number += 1
                return found
            keys = bytes(self.head[:got])
            self.drain(50)
            if b"\x03" in keys and not keys.strip(b"\r\x01\x02\x03\x04"):
                raise KeyboardInterrupt
            wait = self.patience if got else wait * 2
            if wait > 2000:
                raise OSError(110)
            self.epoch = self.epoch + 1 & 255
            why = "D" if got else "S"

    def look(self, body, wait):
        head = self.head
        while True:
            got = self.fill(head, wait)
            if got < 12:
                break
            kind, epoch, number, length, plain, crc = struct.unpack("<BBHHHI", head)
            data = body[:length]
            if self.fill(data, self.patience) < length or crc != binascii.crc32(data, binascii.crc32(head[:8])):
                break
            if epoch == self.epoch:
                return (kind, data, plain) if number == self.number else None, got
        return None, got
