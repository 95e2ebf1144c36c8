/** What the board is known by: its serial number, the socket it hangs in, or only the name of the port. */
import { fill, h } from '../dom.ts';
import type { Port } from '../wire.ts';
import { wordsOf } from '../words.ts';

const words = wordsOf('esp32-board');
const PREFIX = 'usb:';

/**
 * Fills the choice for what the form has. A device that is chosen and not there stays in it. A port without USB
 * facts, and one of another machine, leaves nothing to choose.
 */
export function fillBindings(select: HTMLSelectElement, port: Port | undefined, device: string): void {
  const ways = port ? waysOf(port) : [];
  const isKnown = device === '' || ways.some(({ value }) => value === device);
  const away = isKnown
    ? []
    : [{ value: device, text: words('binding.away', { device: device.slice(PREFIX.length) }) }];
  const all = [...ways, ...away, { value: '', text: words('binding.path') }];
  fill(
    select,
    all.map(({ value, text }) => h('option', { value, selected: value === device }, text)),
  );
  select.value = device;
}

function waysOf({ device, serialNumber, locationId }: Port): { value: string; text: string }[] {
  const ways: { value: string; text: string }[] = [];
  if (device !== undefined && device === `${PREFIX}${serialNumber ?? ''}`) {
    ways.push({ value: device, text: words('binding.serial', { serialNumber }) });
  }
  if (locationId !== undefined) {
    ways.push({ value: `${PREFIX}${locationId}`, text: words('binding.location', { locationId }) });
  }
  return ways;
}
