import { PortError } from './errors.ts';
import type { RemoteName } from './port-name.ts';
import { connectTo } from './remote-stream.ts';
import { Rfc2217Transport } from './rfc2217-transport.ts';
import { OPEN_TIMEOUT_MS } from './transport.ts';
import type { OpenOptions, Transport } from './transport.ts';
import { within } from './wait.ts';

/**
 * Opens a port of a server that speaks RFC 2217 (ser2net, pyserial, esp_rfc2217_server), 8N1 without flow
 * control. A server that refuses COM-PORT-OPTION is used as a plain stream, with a warning.
 * Throws `PortError` `port-refused` and `port-busy` (`facts.said`: the server's words), `open-timeout` (`facts.stage`:
 * `connect`, `negotiation`), `baud-refused`, `port-lost`, `port-open-failed`; the signal's reason when aborted.
 */
export async function openRfc2217(
  port: string,
  name: RemoteName,
  options: OpenOptions = {},
): Promise<Transport> {
  const { timeoutMs = OPEN_TIMEOUT_MS, signal } = options;
  const until = performance.now() + timeoutMs;
  const socket = await connectTo(port, name, options);
  const transport = new Rfc2217Transport(port, socket, options);
  try {
    await within(transport.start(), {
      timeoutMs: until - performance.now(),
      signal,
      onTimeout: () =>
        new PortError('open-timeout', port, transport.whereItStands(timeoutMs), {
          stage: transport.stage,
          timeoutMs,
        }),
    });
    return transport;
  } catch (error) {
    await transport.close();
    const turnedAway = error instanceof PortError && error.code === 'port-lost';
    throw turnedAway ? refusal(port, transport.said, error) : error;
  }
}

/** A server whose port is taken (ser2net: "Port already in use") lets us connect, says so and hangs up. */
function refusal(port: string, said: string, cause: PortError): PortError {
  const code = /in use|busy|cannot lock/i.test(said) ? 'port-busy' : 'port-refused';
  const words = said === '' ? 'the server closed the connection' : `the server says: ${said}`;
  return new PortError(code, port, `cannot open ${port}: ${words}`, { said }, cause);
}
