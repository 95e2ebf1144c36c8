/** The dialog of an `esp32 board`: what its template leaves to code. */
import { addStyles } from '../dom.ts';
import type { BoardSettings, Port } from '../wire.ts';
import { fillBindings } from './binding.ts';
import { identifyPanel } from './identify.ts';
import { isPort } from './port-option.ts';
import { PortList } from './ports.ts';

const FIELDS = [
  'port',
  'device',
  'baudRate',
  'flashBaudRate',
  'idleLines',
  'resetSequence',
  'connectTimeout',
] as const;

/** Fills the dialog that is open for a node. Returns what ends it. */
export function openDialog(node: EditorNode): () => void {
  addStyles();
  const portField = field('port');
  const deviceField = field('device');
  const bindings = document.getElementById('esp32-board-binding') as HTMLSelectElement;
  const bindingRow = bindings.closest<HTMLElement>('.form-row');

  const update = (): void => {
    const [path, device] = [portField.value.trim(), deviceField.value];
    const port = list.ports.find((each) => isPort(each, path, device));
    list.mark(path, device);
    fillBindings(bindings, port, device);
    // A single choice is none.
    bindingRow?.toggleAttribute('hidden', bindings.options.length < 2);
  };
  const choose = ({ path, device = '' }: Port): void => {
    deviceField.value = device;
    set(portField, path);
  };
  const list = new PortList({ choose, seen: update });
  const identify = identifyPanel(() => settingsOf(node));

  document.getElementById('esp32-board-port-list')?.replaceChildren(list.element);
  document.getElementById('esp32-board-identity')?.replaceChildren(identify.element);
  // What is typed is a port of its own: the device that was chosen before is not meant any more.
  portField.addEventListener('input', () => {
    deviceField.value = '';
    update();
  });
  portField.addEventListener('change', update);
  bindings.addEventListener('change', () => {
    deviceField.value = bindings.value;
    update();
  });
  update();
  return () => {
    list.stop();
    identify.stop();
  };
}

function field(name: string): HTMLInputElement {
  return document.getElementById(`node-config-input-${name}`) as HTMLInputElement;
}

/** As if typed, so that Node-RED's validation sees it, without what follows from typing. */
function set(input: HTMLInputElement, value: string): void {
  input.value = value;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

function settingsOf({ id }: EditorNode): BoardSettings {
  const values = FIELDS.map((name) => [name, field(name).value] as const);
  return { id, ...(Object.fromEntries(values) as unknown as BoardSettings) };
}
