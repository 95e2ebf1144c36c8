/** A port in the few characters of a status. */
import assert from 'node:assert/strict';
import { portLabel } from '../../lib/runtime/port-label.ts';

describe('runtime: the label of a port', () => {
  const LABELS: [port: unknown, label: string | undefined][] = [
    ['COM7', 'COM7'],
    [' /dev/ttyUSB3 ', 'ttyUSB3'],
    ['rfc2217://bench:2217/', 'bench:2217'],
    ['usb:24:0A:C4:12:34:56', '24:0A:C4:12:34:56'],
    ['/dev/serial/by-id/usb-Silicon_Labs_CP2102_0001-if00-port0', '…_Labs_CP2102_0001'],
    ['', undefined],
    ['/', undefined],
    [54321, undefined],
    [undefined, undefined],
  ];
  for (const [port, label] of LABELS) {
    it(`of ${JSON.stringify(port)} is ${String(label)}`, () => assert.equal(portLabel(port), label));
  }
});
