import { presentPath } from './identity.ts';
import { parsePortName } from './port-name.ts';
import { openRfc2217 } from './rfc2217.ts';
import { openSerial } from './serial.ts';
import { openTcp } from './tcp.ts';
import type { OpenOptions, Transport } from './transport.ts';

/**
 * Opens a port as the user wrote it: `COM3`, `/dev/ttyUSB0`, `usb:<serial or location>`,
 * `rfc2217://host:port`, `tcp://host:port`.
 *
 * Throws `PortError`: `no-port-chosen`, `bad-port-name`, and by kind `port-missing`, `port-ambiguous`, `port-busy`,
 * `port-permission`, `port-refused`, `baud-refused`, `open-timeout`, `port-open-failed`. When
 * `options.signal` is aborted its reason is thrown and nothing stays open.
 */
export async function openTransport(port: string, options: OpenOptions = {}): Promise<Transport> {
  const name = parsePortName(port);
  const asWritten = port.trim();
  switch (name.kind) {
    case 'serial':
      return await openSerial(asWritten, name.path, options);
    case 'usb': {
      const path = await presentPath({ port: name.device });
      return await openSerial(path, path, options);
    }
    case 'rfc2217':
      return await openRfc2217(asWritten, name, options);
    case 'tcp':
      return await openTcp(asWritten, name, options);
  }
}
