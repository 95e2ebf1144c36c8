/** Node-RED's editor in a page: what a test does and sees there that has no button of its own. */
import type { Page } from 'playwright-core';

/** A node as the editor has drawn it. */
export interface Drawn {
  type: string;
  name: string;
  isValid: boolean;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

interface EditorNode {
  type: string;
  name?: string;
  valid: boolean;
  z?: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

interface Editor {
  view: { importNodes: (nodes: unknown, options: object) => void; redraw: (now: boolean) => void };
  nodes: {
    filterNodes: (filter: { z: string }) => EditorNode[];
    eachConfig: (each: (node: EditorNode) => void) => void;
  };
  workspaces: { show: (id: string) => void };
}

/** Waits until the editor has loaded and shows its flows. */
export async function editorLoaded(page: Page): Promise<void> {
  // Node-RED 5 shows it last of all. 4.1 hides its progress after it, which may not be there before.
  await page.locator('.red-ui-header-toolbar').waitFor();
  await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
}

/**
 * Imports a flow of one tab and shows it. Returns its nodes as they are drawn, in pixels of the workspace, and
 * the types of config nodes that are not valid.
 */
export async function importFlow(
  page: Page,
  nodes: readonly { id: string; type: string }[],
): Promise<{ drawn: Drawn[]; invalidConfigs: string[] }> {
  const tab = nodes.find(({ type }) => type === 'tab')?.id ?? '';
  await page.evaluate(
    ([flow, id]) => {
      const { RED } = globalThis as unknown as { RED: Editor };
      RED.view.importNodes(flow, { addFlow: false, generateIds: false, notify: false });
      RED.workspaces.show(id);
      RED.view.redraw(true);
    },
    [nodes, tab] as const,
  );
  await page.locator(`[id="${nodes.find((node) => 'wires' in node)?.id}"]`).waitFor();
  return page.evaluate((z) => {
    const { RED } = globalThis as unknown as { RED: Editor };
    const drawn = RED.nodes.filterNodes({ z }).map(({ type, name = '', valid, x, y, w, h }) => ({
      type,
      name,
      isValid: valid,
      left: x - w / 2,
      right: x + w / 2,
      top: y - h / 2,
      bottom: y + h / 2,
    }));
    const invalidConfigs: string[] = [];
    RED.nodes.eachConfig(({ type, valid }) => {
      if (!valid) invalidConfigs.push(type);
    });
    return { drawn, invalidConfigs };
  }, tab);
}
