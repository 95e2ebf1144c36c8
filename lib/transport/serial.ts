import { messageOf } from '../errors/reason.ts';
import { deniedAt } from './access.ts';
import { openingError, PortError } from './errors.ts';
import type { PortFacts } from './errors.ts';
import { holderOf } from './holder.ts';
import type { SerialBinding, SerialHandle } from './serial-binding.ts';
import { SerialTransport } from './serial-transport.ts';
import { isTaker } from './takers.ts';
import { DEFAULT_BAUD_RATE, OPEN_TIMEOUT_MS } from './transport.ts';
import type { OpenOptions, Transport } from './transport.ts';
import { within } from './wait.ts';

/** What tests replace: the system whose line order is used, and the binding. */
export interface SerialHost {
  platform: NodeJS.Platform;
  binding: SerialBinding;
}

/**
 * The serial library's native binding, loaded when first needed: a machine it has no build for still runs
 * remote ports. Throws `PortError` `port-open-failed` (`facts.noBinding`) where it cannot be loaded.
 */
export async function loadSerialBinding(port: string): Promise<SerialBinding> {
  try {
    const { SerialPort } = await import('serialport');
    return SerialPort.binding;
  } catch (error) {
    const reason = messageOf(error);
    const message = `local ports cannot be used on this machine: ${reason}`;
    throw new PortError('port-open-failed', port, message, { reason, noBinding: true }, error);
  }
}

/**
 * Opens a port of this machine. Throws `PortError`: `port-missing`, `port-busy`, `port-permission`,
 * `baud-refused`, `open-timeout`, `port-open-failed`; the signal's reason when aborted.
 */
export async function openSerial(
  port: string,
  path: string,
  options: OpenOptions = {},
  host?: SerialHost,
): Promise<Transport> {
  const { signal, baudRate = DEFAULT_BAUD_RATE, timeoutMs = OPEN_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const platform = host?.platform ?? process.platform;
  const binding = host?.binding ?? (await loadSerialBinding(port));

  // Windows enables DTR alone by default, which holds IO0 low: any reset then lands in the loader.
  // hupcl false opens with both lines off there; elsewhere the kernel asserts both on open anyway.
  const opening = binding.open({ path, baudRate, lock: true, hupcl: platform !== 'win32' });
  const onTimeout = (): Error =>
    new PortError('open-timeout', port, `${port} did not open in ${timeoutMs} ms`, {
      stage: 'open',
      timeoutMs,
    });
  let handle: SerialHandle;
  try {
    handle = await within(opening, { timeoutMs, signal, onTimeout });
  } catch (error) {
    // What opens after we have given up must not stay open: the port would be busy for ever.
    opening.then((late) => late.close()).catch(() => undefined);
    if (signal?.aborted) throw error;
    throw await withReason(openingError(port, error), path);
  }

  const linesNow = platform === 'win32' ? { dtr: false, rts: false } : { dtr: true, rts: true };
  const transport = new SerialTransport(port, handle, { platform, baudRate, lines: linesNow, options });
  try {
    await transport.setModemLines(options.idleLines ?? { dtr: true, rts: true });
    signal?.throwIfAborted();
  } catch (error) {
    await transport.close();
    throw error;
  }
  return transport;
}

/**
 * Names the program that has a busy port (`facts.program`, `facts.pid`), or the group that would let the user in
 * (`facts.user`, `facts.group`), where that can be known.
 */
async function withReason(error: PortError, path: string): Promise<PortError> {
  const { code, port, message, cause } = error;
  const known = error.facts as PortFacts;
  const holder = code === 'port-busy' ? await holderOf(path) : undefined;
  if (holder) {
    const { program, pid } = holder;
    const facts = { ...known, program, pid, case: isTaker(program) ? program : 'held' };
    return new PortError(code, port, `${message} (${program}, process ${pid}, has it)`, facts, cause);
  }
  const denied = code === 'port-permission' ? await deniedAt(path) : undefined;
  if (denied) {
    const { user, group } = denied;
    const facts = { ...known, user, group, case: 'group' };
    return new PortError(code, port, `${message} (${user} is not in the group ${group})`, facts, cause);
  }
  return error;
}
