"""One serial port behind pyserial's RFC 2217 PortManager, for tests.

Usage: pyserial_server.py PATH. Prints one JSON object a line: first {"port": N}, then every change that
reaches the serial port: {"dtr": true}, {"rts": false}, {"baud": 460800}, {"purge": "in"}.
"""

import json
import os
import select
import socket
import sys
import threading

import serial
import serial.rfc2217


def tell(**facts):
    print(json.dumps(facts), flush=True)


class ReportingSerial(serial.Serial):
    """A pty has no modem lines: what would be set on them is reported instead."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self):
        tell(dtr=self._dtr_state)

    def _update_rts_state(self):
        tell(rts=self._rts_state)

    def reset_input_buffer(self):
        tell(purge="in")
        super().reset_input_buffer()


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.lock = threading.Lock()

    def write(self, data):
        with self.lock:
            self.sock.sendall(data)


def serve(port, sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(sock)
    manager = serial.rfc2217.PortManager(port, connection)
    baud = port.baudrate
    while True:
        ready, _, _ = select.select([port.fileno(), sock, sys.stdin], [], [])
        if sys.stdin in ready:
            raise SystemExit("the test has ended")
        if port.fileno() in ready:
            data = os.read(port.fileno(), 4096)
            if not data:
                raise SystemExit("the cable was pulled")
            connection.write(b"".join(manager.escape(data)))
        if sock in ready:
            data = sock.recv(4096)
            if not data:
                return
            port.write(b"".join(manager.filter(data)))
            if port.baudrate != baud:
                baud = port.baudrate
                tell(baud=baud)


def main():
    port = ReportingSerial(sys.argv[1], 115200, timeout=1, exclusive=True)
    listener = socket.create_server(("127.0.0.1", 0))
    tell(port=listener.getsockname()[1])
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        sock, _ = listener.accept()
        with sock:
            serve(port, sock)


main()
