# The network module: one access point, "virtual", that lets everyone in.
import _board

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3
_hostname = "mpy-esp32"


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    _interfaces = {}

    def __new__(cls, interface=STA_IF):
        if interface not in cls._interfaces:
            wlan = super().__new__(cls)
            wlan._id = interface
            wlan._active = False
            wlan._ssid = None
            cls._interfaces[interface] = wlan
        return cls._interfaces[interface]

    def __init__(self, interface=STA_IF):
        pass

    def active(self, state=None):
        if state is not None:
            self._active = bool(state)
            if not state:
                self._ssid = None
        return self._active

    def connect(self, ssid=None, key=None, bssid=None):
        if not self._active:
            raise OSError(-12290, "Wifi Not Started")
        self._ssid = ssid

    def disconnect(self):
        self._ssid = None

    def isconnected(self):
        return self._ssid is not None

    def status(self, what=None):
        if what == "rssi":
            return -50
        return STAT_GOT_IP if self._ssid else STAT_IDLE

    def scan(self):
        return [(b"virtual", b"\x02\x00\x00\x00\x00\x01", 6, -50, AUTH_WPA2_PSK, False)]

    def ifconfig(self, config=None):
        if self._ssid is None:
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return ("192.0.2.10", "255.255.255.0", "192.0.2.1", "192.0.2.1")

    def config(self, *names, **values):
        for name in names:
            if name == "mac":
                return bytes(_board.mac(i) for i in range(6))
            if name in ("essid", "ssid"):
                return self._ssid or ""
            if name in ("hostname", "dhcp_hostname"):
                return _hostname
            raise ValueError("unknown config param")


def hostname(name=None):
    global _hostname
    if name is not None:
        _hostname = name
    return _hostname
