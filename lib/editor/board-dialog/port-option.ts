/** A port as one can be chosen from a list: what it is known by, and what else there is to say of it. */
import { h } from '../dom.ts';
import type { Port } from '../wire.ts';
import { wordsOf } from '../words.ts';

const words = wordsOf('esp32-board');

/** Whether a port is what the form has: by its device where that is chosen, else by its path. */
export function isPort(port: Port, path: string, device: string): boolean {
  if (device === '') return port.path === path;
  return port.device === device || (port.locationId !== undefined && device === `usb:${port.locationId}`);
}

/** "CP2102 USB to UART Bridge Controller · Silicon Labs": what a person knows a board by. */
function portName({ adapter, product, manufacturer, path }: Port): string {
  const kind = adapter ? words(`ports.kind.${adapter.kind}`, { name: adapter.name }) : undefined;
  return kind ?? product ?? manufacturer ?? words('ports.kind.unknown', { path });
}

function details(port: Port): string {
  const { manufacturer, product, serialNumber, locationId } = port;
  const name = portName(port);
  return [
    product === name ? undefined : product,
    product?.includes(manufacturer ?? ' ') ? undefined : manufacturer,
    serialNumber && words('ports.serial', { serialNumber }),
    locationId && words('ports.location', { locationId }),
  ]
    .filter(Boolean)
    .join(' · ');
}

export function portOption(port: Port, at: number, choose: () => void): HTMLElement {
  const classes = ['esp32-port', !port.likely && 'esp32-port-unlikely'].filter(Boolean).join(' ');
  const facts = details(port);
  return h(
    'button',
    {
      type: 'button',
      role: 'option',
      id: `esp32-board-port-${at}`,
      className: classes,
      'data-path': port.path,
      'aria-selected': 'false',
      onclick: choose,
    },
    h('span', { className: 'esp32-port-name' }, portName(port)),
    h('span', { className: 'esp32-port-path' }, port.path),
    facts !== '' && h('span', { className: 'esp32-port-facts' }, facts),
  );
}
