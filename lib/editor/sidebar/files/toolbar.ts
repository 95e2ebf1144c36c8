/** The buttons over the files: which there are, and when each can be pressed. */
import { button, h } from '../../dom.ts';
import type { BoardFile } from '../../wire.ts';
import { wordsOf } from '../../words.ts';
import { mayAct } from '../panel.ts';

const words = wordsOf('esp32-sidebar');

interface Tool {
  symbol: string;
  /** Whether it has something to do with what is selected; absent where that does not matter. */
  fits?: (selected: BoardFile | undefined) => boolean;
  /** Also for those who may only look. */
  isLook?: boolean;
}

const isAny = (selected: BoardFile | undefined): boolean => selected !== undefined;
const isFile = (selected: BoardFile | undefined): boolean => selected?.isFolder === false;
const isPython = (selected: BoardFile | undefined): boolean =>
  isFile(selected) && selected?.path.endsWith('.py') === true;

/** Of the board, on the left. */
const BOARD_TOOLS = {
  'new-file': { symbol: 'file-o' },
  'new-folder': { symbol: 'folder-o' },
  upload: { symbol: 'upload' },
  restart: { symbol: 'refresh' },
  reload: { symbol: 'rotate-right', isLook: true },
} satisfies Record<string, Tool>;

/** Of the file or folder that is selected, on the right. */
const FILE_TOOLS = {
  open: { symbol: 'pencil', fits: isFile, isLook: true },
  run: { symbol: 'play', fits: isPython },
  download: { symbol: 'download', fits: isFile, isLook: true },
  rename: { symbol: 'i-cursor', fits: isAny },
  delete: { symbol: 'trash', fits: isAny },
} satisfies Record<string, Tool>;

export type ToolName = keyof typeof BOARD_TOOLS | keyof typeof FILE_TOOLS;

export interface Toolbar {
  element: HTMLElement;
  /** Lets those buttons be pressed that have something to do. */
  update: (selected: BoardFile | undefined, isBusy: boolean) => void;
}

/** `press`: what each button does. */
export function fileToolbar(press: Readonly<Record<ToolName, () => void>>): Toolbar {
  const made: { it: HTMLButtonElement; tool: Tool }[] = [];
  const make = (tools: Record<string, Tool>): HTMLButtonElement[] =>
    Object.entries(tools).map(([name, tool]) => {
      const look = { label: words(`files.${name}`), symbol: tool.symbol, isBare: true };
      const it = button({ ...look, 'data-file-action': name }, press[name as ToolName]);
      made.push({ it, tool });
      return it;
    });
  return {
    element: h(
      'div',
      { className: 'esp32-toolbar' },
      make(BOARD_TOOLS),
      h('span', { className: 'esp32-gap' }),
      make(FILE_TOOLS),
    ),
    update: (selected, isBusy) => {
      for (const { it, tool } of made) {
        const fits = tool.fits?.(selected) ?? true;
        it.disabled = isBusy || !fits || !(mayAct() || tool.isLook === true);
      }
    },
  };
}
