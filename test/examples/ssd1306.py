# A driver of an SSD1306 display for the tests, with the names that the one of MicroPython's package index has.
import framebuf

SETUP = b"\xae\xa8\x3f\xd3\x00\x40\xa1\xc8\xda\x12\x81\xcf\xa4\xa6\xd5\x80\x8d\x14\x20\x00\xaf"


class SSD1306_I2C(framebuf.FrameBuffer):
    def __init__(self, width, height, i2c, addr=0x3C):
        self.i2c = i2c
        self.addr = addr
        self.buffer = bytearray(width * height // 8)
        super().__init__(self.buffer, width, height, framebuf.MONO_VLSB)
        i2c.writeto(addr, b"\x00" + SETUP)

    def show(self):
        self.i2c.writeto(self.addr, b"\x40" + self.buffer)
