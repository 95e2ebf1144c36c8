# Raises the rate of the UART under the running REPL by the registers of its clock, for the time of a transfer.
#
# T and a rate: the board goes there, and back unless it hears a knock. U, and 1 if it dozes: it has heard it, and wants
# another to be sure that this was heard. B: it goes back to the rate before, and hears once more whether somebody is
# there.
import sys, os, time, machine

KNOCK = b"\x55knock\xaa"


def knocked(line, ms):
    heard = b""
    while len(heard) < 64 and line.fill(line.one, ms):
        heard += line.one
        if heard.endswith(KNOCK):
            return True


# Firmware of an ESP32 that waits for input looks for it each 10 ms, which is too late for its ring at such rates.
def dozes(poll):
    for _ in range(3):
        began = time.ticks_us()
        for _ in poll(1):
            pass
        if time.ticks_diff(time.ticks_us(), began) > 5000:
            return 1
    return 0


# As `Line.fill`. A board that dozes looks again and again instead of waiting. Another reads as fast as bytes come: in
# steps, each of which would wait for ever for what was lost; so before each it is made sure that the line is not
# silent.
def fill_fast(line, asleep, view, ms):
    poll, one, every = line.poll, line.one, line.every
    read, write, now = sys.stdin.buffer.readinto, sys.stdout.write, time.ticks_ms
    step = 0 if asleep else 32
    at, end = 0, len(view)
    while at < end:
        came = silent = None
        while not came:
            for came in poll(0 if asleep else ms):
                pass
            if not came:
                silent = silent or now()
                if not asleep or time.ticks_diff(now(), silent) > ms:
                    return at
        if step and step <= end - at:
            began = now()
            read(view[at : at + step])
            at += step
            # Where it had to wait, bytes are missing, and soon the line will be silent.
            if now() - began > 50:
                step = 0
        else:
            read(one)
            view[at] = one[0]
            at += 1
        if not at % every:
            write(line.dot)
    return at


# Each chip: the register of the divider; clock in Hz, 0: the one that it has now; a register and its bits that choose
# this clock; a register that makes it so. Returns what goes back, or nothing.
def faster(line, chips, now, rates, pace):
    memory = machine.mem32
    divider, hz, source, bits, latch = chips.get(os.uname()[4].split(" ")[-1].replace("-", ""), (0,) * 5)
    if not divider:
        return
    before = memory[divider], memory[source]
    asleep = dozes(line.poll)
    hz = hz or now * ((before[0] & 0xFFFFF) * 16 + (before[0] >> 20 & 15)) // 16

    def put(values):
        # What was said is to leave first.
        time.sleep_ms(8)
        memory[divider], memory[source] = values
        if latch:
            memory[latch] = 1

    def back():
        tell("B", line.rest)
        put(before)
        knocked(line, 500)

    for rate in rates:
        tell("T%d" % rate, line.rest)
        parts = (hz * 16 + rate // 2) // rate
        new = parts >> 4 | (parts & 15) << 20
        put((new, before[1] | bits if source != divider else new))
        if knocked(line, 400):
            tell("U%d" % asleep, line.rest)
            if knocked(line, 400):
                line.every, line.dot, line.rest = pace
                if asleep:
                    line.dot += line.rest
                line.fill = lambda view, ms: fill_fast(line, asleep, view, ms)
                return back
        put(before)
        # The other side goes back, too.
        time.sleep_ms(500)
        line.drain(50)
