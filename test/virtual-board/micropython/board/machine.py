# The machine module: what reaches beyond the chip is asked of the virtual board, pins and buses
# remember what was done with them.
import _board
import micropython
import time

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6
SLEEP = 2
DEEPSLEEP = 4

_frequency = 160000000


def reset():
    _board.request("reset", 0)


def soft_reset():
    raise SystemExit


def bootloader(timeout_ms=0):
    _board.request("bootloader", 0)


def deepsleep(time_ms=0):
    _board.request("deep-sleep", time_ms)


def lightsleep(time_ms=0):
    time.sleep_ms(time_ms)


def idle():
    pass


def reset_cause():
    return _board.reset_cause()


def wake_reason():
    return TIMER_WAKE if _board.reset_cause() == DEEPSLEEP_RESET else 0


def unique_id():
    return bytes(_board.mac(i) for i in range(6))


def freq(hz=None):
    global _frequency
    if hz is None:
        return _frequency
    if hz not in (20000000, 40000000, 80000000, 160000000, 240000000):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _frequency = hz


def disable_irq():
    return 0


def enable_irq(state):
    pass


class _Memory:
    def __init__(self, bits):
        self._mask = (1 << bits) - 1

    def __getitem__(self, address):
        # Two halves: what crosses over is a signed 32-bit number.
        value = _board.peek(address >> 16, address & 0xFFFF)
        return (value + (1 << 32) if value < 0 else value) & self._mask

    def __setitem__(self, address, value):
        value &= self._mask
        _board.poke(address >> 16, address & 0xFFFF, value >> 16, value & 0xFFFF)


mem8 = _Memory(8)
mem16 = _Memory(16)
mem32 = _Memory(32)


class Signal:
    def __init__(self, pin, invert=False):
        self._pin = pin
        self._invert = invert

    def value(self, x=None):
        if x is None:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(x) ^ self._invert)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    _pins = {}

    def __new__(cls, id, *args, **kwargs):
        if not isinstance(id, int) or not 0 <= id < 40 or id in (20, 24, 28, 29, 30, 31):
            raise ValueError("invalid pin")
        if id not in cls._pins:
            pin = super().__new__(cls)
            pin._id = id
            pin._mode = cls.IN
            pin._pull = None
            pin._level = 0
            pin._handler = None
            pin._trigger = 0
            pin.changes = []
            cls._pins[id] = pin
        return cls._pins[id]

    def __init__(self, id, mode=None, pull=-1, value=None, drive=None, hold=None):
        self.init(mode, pull, value=value)

    def init(self, mode=None, pull=-1, value=None, drive=None, hold=None):
        if mode is not None:
            self._mode = mode
        if pull != -1:
            self._pull = pull
            if self._mode == Pin.IN and pull is not None:
                self._level = 1 if pull == Pin.PULL_UP else 0
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is None:
            return self._level
        before = self._level
        self._level = 1 if x else 0
        if len(self.changes) < 64:
            self.changes.append(self._level)
        _board.pin(self._id, self._level)
        edge = Pin.IRQ_RISING if self._level > before else Pin.IRQ_FALLING
        if self._handler and self._level != before and self._trigger & edge:
            micropython.schedule(self._handler, self)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self._level)

    def irq(self, handler=None, trigger=3, priority=1, wake=None, hard=False):
        self._handler = handler
        self._trigger = trigger
        return self

    def __repr__(self):
        return "Pin(%d)" % self._id


class PWM:
    def __init__(self, dest, freq=5000, duty=None, duty_u16=None, duty_ns=None):
        self._pin = dest
        self._freq = freq
        self._duty = duty_u16 if duty_u16 is not None else (duty or 0) << 6

    def init(self, freq=None, duty=None, duty_u16=None, duty_ns=None):
        if freq is not None:
            self._freq = freq
        if duty is not None:
            self._duty = duty << 6
        if duty_u16 is not None:
            self._duty = duty_u16

    def freq(self, hz=None):
        if hz is None:
            return self._freq
        self._freq = hz

    def duty(self, duty=None):
        if duty is None:
            return self._duty >> 6
        self._duty = duty << 6

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty
        self._duty = duty

    def deinit(self):
        pass


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_12BIT = 12

    def __init__(self, pin, atten=0):
        self._pin = pin

    def read(self):
        return 2048

    def read_u16(self):
        return 32768

    def read_uv(self):
        return 1100000

    def atten(self, value):
        pass

    def width(self, value):
        pass


class I2C:
    # One display, an SSD1306, answers; it remembers what was written to it.
    written = []

    def __init__(self, id=0, scl=None, sda=None, freq=400000, timeout=50000):
        pass

    def scan(self):
        return [0x3C]

    def writeto(self, address, data, stop=True):
        if address != 0x3C:
            raise OSError(19)
        if len(I2C.written) < 256:
            I2C.written.append(bytes(data))
        return len(data)

    def writevto(self, address, vector, stop=True):
        return self.writeto(address, b"".join(bytes(part) for part in vector))

    def writeto_mem(self, address, register, data, addrsize=8):
        self.writeto(address, bytes([register]) + bytes(data))

    def readfrom(self, address, count, stop=True):
        if address != 0x3C:
            raise OSError(19)
        return bytes(count)


SoftI2C = I2C


class RTC:
    def datetime(self, fields=None):
        if fields is None:
            t = time.gmtime()
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        wanted = time.mktime((fields[0], fields[1], fields[2], fields[4], fields[5], fields[6], 0, 0))
        _board.set_clock(wanted - time.time())

    def init(self, fields):
        self.datetime(fields)


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id, **kwargs):
        self._id = id
        self._handle = None
        if kwargs:
            self.init(**kwargs)

    def init(self, mode=PERIODIC, callback=None, period=-1, freq=0, tick_hz=1000, hard=False):
        self.deinit()
        if freq:
            period = int(1000 / freq)

        def fire():
            callback(self)

        self._handle = _board.start_timer(fire, period, mode)

    def deinit(self):
        if self._handle is not None:
            _board.stop_timer(self._handle)
            self._handle = None


class WDT:
    def __init__(self, id=0, timeout=5000):
        _board.start_watchdog(timeout)

    def feed(self):
        _board.feed_watchdog()


class UART:
    def __init__(self, id, *args, **kwargs):
        # The REPL's own port belongs to the REPL.
        if id == 0:
            raise OSError(-259, "ESP_ERR_INVALID_STATE")
        if id not in (1, 2):
            raise ValueError("UART(%d) does not exist" % id)

    def any(self):
        return 0

    def read(self, n=None):
        return None

    def readinto(self, buf, n=None):
        return None

    def write(self, data):
        return len(data)
