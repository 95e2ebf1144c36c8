# Raises the rate of the UART under the running REPL by the registers of its clock, for the time of a transfer.
#
# T and a rate: the board goes there, and back unless it hears a knock. U: it has heard it, and wants another to be sure
# that this was heard. B: it goes back to the rate before, and hears once more whether somebody is there.
import os, time, machine

KNOCK = b"\x55knock\xaa"


def knocked(line, ms):
    heard = b""
    while len(heard) < 64 and line.fill(line.one, ms):
        heard += line.one
        if heard.endswith(KNOCK):
            return True


# Each chip: the register of the divider; clock in Hz, 0: the one that it has now; a register and its bits that choose
# this clock; a register that makes it so. Returns what goes back, or nothing.
def faster(line, chips, now, rates, pace):
    memory = machine.mem32
    divider, hz, source, bits, latch = chips.get(os.uname()[4].split(" ")[-1].replace("-", ""), (0,) * 5)
    if not divider:
        return
    before = memory[divider], memory[source]
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
            tell("U", line.rest)
            if knocked(line, 400):
                line.step, line.every, line.dot, line.rest = pace
                return back
        put(before)
        # The other side goes back, too.
        time.sleep_ms(500)
        line.drain(50)
