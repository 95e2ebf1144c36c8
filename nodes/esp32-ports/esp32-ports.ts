/** The `esp32 ports` node: a message when a board is plugged in, and one when it has gone. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { deviceOf } from '../../lib/board/ports.ts';
import type { PortEvent, PortInfo } from '../../lib/board/ports.ts';
import { messageOf } from '../../lib/errors/reason.ts';
import { flag } from '../../lib/runtime/properties.ts';
import { portWatch } from '../../lib/runtime/shared.ts';

interface PortsDef extends NodeDef {
  /** Leave out ports that hardly have a board. */
  likely: boolean;
  /** Also tell of the boards that are there when the flow starts. */
  initial: boolean;
}

type PortMessage = NodeMessage & { port: string };

export default function register(RED: NodeAPI): void {
  function Esp32Ports(this: Node, def: PortsDef): void {
    RED.nodes.createNode(this, def);
    const wanted = ({ likely, present }: PortInfo): boolean =>
      present !== false && (likely || !flag(def.likely));
    const show = (ports: readonly PortInfo[]): void => {
      const count = ports.filter(wanted).length;
      const text = RED._('esp32-ports.status.count', { count });
      this.status({ fill: count > 0 ? 'green' : 'grey', shape: count > 0 ? 'dot' : 'ring', text });
    };
    const tell = (event: PortEvent['event'], port: PortInfo, ports: readonly PortInfo[]): void => {
      const present = ports.filter(wanted);
      const payload = { event, ...factsOf(port, ports), ports: present.map((each) => factsOf(each, ports)) };
      const msg = { topic: event, port: port.path, payload } as PortMessage;
      this.send(event === 'added' ? [msg, null] : [null, msg]);
    };
    let tellInitial = flag(def.initial);
    const stop = portWatch(RED).listen({
      event: ({ event, port }, ports) => {
        if (port.likely || !flag(def.likely)) tell(event, port, ports);
      },
      ports: (ports) => {
        show(ports);
        if (tellInitial) for (const port of ports.filter(wanted)) tell('added', port, ports);
        tellInitial = false;
      },
      failed: (error) => {
        this.status({ fill: 'red', shape: 'ring', text: RED._('esp32-ports.status.failed') });
        this.error(messageOf(error));
      },
    });
    this.on('close', stop);
  }
  RED.nodes.registerType('esp32-ports', Esp32Ports);
}

/** A port as messages have it: every name is there, whatever is known. */
function factsOf(port: PortInfo, among: readonly PortInfo[]): Record<string, unknown> {
  const { path, adapter, manufacturer, vendorId, productId, serialNumber, locationId } = port;
  return {
    port: path,
    adapter: adapter?.name,
    manufacturer,
    vendorId,
    productId,
    serialNumber,
    location: locationId,
    device: deviceOf(port, among),
  };
}
