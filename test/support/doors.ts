/** The ways into a virtual board: what works through one has to work through the other. */
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';

export interface Door {
  options: LaunchOptions;
  port: (device: VirtualBoard) => string;
}

const DOORS: Readonly<Record<string, Door>> = {
  'RFC 2217': { options: {}, port: (device) => device.rfc2217 },
  'a pty': { options: { pty: true, rfc2217: false }, port: (device) => device.pty },
};

/** The same suite once a door. */
export function describeOverDoors(what: string, suite: (door: Door) => void): void {
  for (const [name, door] of Object.entries(DOORS)) {
    describe(`${what}, over ${name}`, () => {
      suite(door);
    });
  }
}
