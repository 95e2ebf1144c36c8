/**
 * What the USB ids of a serial port say about the chip behind it. Facts: the chip makers' default ids
 * (Silicon Labs, WCH, FTDI, Prolific) and Espressif's (esptool `targets`, MicroPython
 * `ports/esp32/mpconfigport.h`).
 */

export interface Adapter {
  /** The chip's usual name. */
  name: string;
  /**
   * `bridge`: a USB-to-UART chip; `usb-jtag`: the USB-Serial/JTAG unit in the ESP chip; `usb-rom`: the mask
   * ROM over USB-OTG, that is, the loader itself; `usb-app`: USB made by the program, such as MicroPython.
   */
  kind: 'bridge' | 'usb-jtag' | 'usb-rom' | 'usb-app';
}

const bridge = (name: string): Adapter => ({ name, kind: 'bridge' });
const rom = (chip: string): Adapter => ({ name: `${chip} ROM USB-OTG`, kind: 'usb-rom' });

const ADAPTERS: Readonly<Record<string, Adapter>> = {
  '10c4:ea60': bridge('CP210x'),
  '10c4:ea70': bridge('CP2105'),
  '1a86:7522': bridge('CH340'),
  '1a86:7523': bridge('CH340'),
  '1a86:5523': bridge('CH341'),
  '1a86:55d2': bridge('CH342'),
  '1a86:55d3': bridge('CH343'),
  '1a86:55d4': bridge('CH9102'),
  '1a86:55d5': bridge('CH344'),
  '0403:6001': bridge('FT232'),
  '0403:6010': bridge('FT2232'),
  '0403:6011': bridge('FT4232'),
  '0403:6014': bridge('FT232H'),
  '0403:6015': bridge('FT231X'),
  '067b:2303': bridge('PL2303'),
  '067b:23a3': bridge('PL2303GC'),
  '303a:1001': { name: 'USB-Serial/JTAG', kind: 'usb-jtag' },
  '303a:4001': { name: 'MicroPython USB CDC', kind: 'usb-app' },
  '303a:0002': rom('ESP32-S2'),
  '303a:0009': rom('ESP32-S3'),
  '303a:0012': rom('ESP32-P4'),
};

/** The vendor number of Espressif: whatever the product, an ESP board is behind it. */
const ESPRESSIF = '303a';

/** What is known of a USB device by its ids (hexadecimal, any case); `undefined` when nothing is. */
export function adapterOf(vendorId: string | undefined, productId: string | undefined): Adapter | undefined {
  if (vendorId === undefined || productId === undefined) return undefined;
  const known = ADAPTERS[`${vendorId}:${productId}`.toLowerCase()];
  if (known) return known;
  return vendorId.toLowerCase() === ESPRESSIF ? { name: 'Espressif USB', kind: 'usb-app' } : undefined;
}
