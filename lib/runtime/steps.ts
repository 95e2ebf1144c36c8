/** Steps by which a busy board is got hold of, or a locked-out one got back, told in words. */
import type { NodeAPI } from 'node-red';
import type { JobContext } from './job-node.ts';

/** The words lie in the catalogue of the board node, one for each step. */
const WORDS = 'node-red-contrib-esp32-micropython/esp32-board:step';

export type OnStep = (step: string, facts?: { path: string }) => void;

/** Tells each step as a phase of the node's work. `name`: that phase, a key under `status` in the node's catalogue. */
export function stepTeller(
  RED: NodeAPI,
  phase: JobContext['phase'],
  name: 'getting-hold' | 'rescue' = 'getting-hold',
): OnStep {
  return (step, facts) => phase(name, { step, ...facts, words: RED._(`${WORDS}.${step}`, facts) });
}
