/** xterm.js in the colours of Node-RED's theme, loaded when it is first needed. */
import type { FitAddon } from '@xterm/addon-fit';
import type { ITheme, Terminal } from '@xterm/xterm';
import { h } from '../dom.ts';
import { wordsOf } from '../words.ts';

const words = wordsOf('esp32-sidebar');
const XTERM = new URL('../../xterm/', import.meta.url);
const SCROLLBACK = 5000;

export interface Screen {
  write: (text: string) => void;
  /** Shows this text and nothing else. */
  reset: (text: string) => void;
  clear: () => void;
  fit: () => void;
  focus: () => void;
}

interface Input {
  isReadOnly: boolean;
  onType: (text: string) => void;
  onPaste: (text: string) => void;
}

/** Fills `place`. Tab goes to the board, which completes names; Shift+Tab leaves. */
export async function openScreen(place: HTMLElement, input: Input): Promise<Screen> {
  const { terminal, fitting } = await load();
  terminal.options.disableStdin = input.isReadOnly;
  terminal.open(place);
  terminal.textarea?.setAttribute('aria-label', words('terminal.label'));
  terminal.onData(input.onType);
  terminal.attachCustomKeyEventHandler((event) => !isForTheBrowser(event, terminal));
  // Node-RED's own shortcuts (Ctrl-D deploys) are none while somebody types to a board.
  place.addEventListener('keydown', (event) => event.stopPropagation());
  place.addEventListener('paste', (event) => takePaste(event, input), { capture: true });
  const paint = (): void => {
    terminal.options.theme = themeOf(place);
  };
  paint();
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ['class'] });
  const fit = (): void => {
    if (place.clientWidth > 0) fitting.fit();
  };
  new ResizeObserver(fit).observe(place);
  return {
    write: (text) => terminal.write(text),
    reset: (text) => {
      terminal.reset();
      terminal.write(text);
    },
    clear: () => terminal.clear(),
    fit,
    focus: () => terminal.focus(),
  };
}

async function load(): Promise<{ terminal: Terminal; fitting: FitAddon }> {
  const file = (name: string): string => new URL(name, XTERM).href;
  document.head.append(h('link', { rel: 'stylesheet', href: file('xterm.css') }));
  const [xterm, fit] = (await Promise.all([import(file('xterm.mjs')), import(file('addon-fit.mjs'))])) as [
    typeof import('@xterm/xterm'),
    typeof import('@xterm/addon-fit'),
  ];
  const terminal = new xterm.Terminal({
    convertEol: true,
    cursorBlink: true,
    fontSize: 13,
    scrollback: SCROLLBACK,
    screenReaderMode: true,
    fontFamily: 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  });
  const fitting = new fit.FitAddon();
  terminal.loadAddon(fitting);
  return { terminal, fitting };
}

/** Copying what is selected, pasting, and going back with Shift+Tab. */
function isForTheBrowser({ key, ctrlKey, metaKey, shiftKey }: KeyboardEvent, terminal: Terminal): boolean {
  const isCommand = ctrlKey || metaKey;
  const name = key.toLowerCase();
  if (name === 'tab') return shiftKey;
  if (isCommand && name === 'v') return true;
  return isCommand && name === 'c' && (shiftKey || terminal.hasSelection());
}

function takePaste(event: ClipboardEvent, { isReadOnly, onPaste }: Input): void {
  event.preventDefault();
  event.stopPropagation();
  const text = event.clipboardData?.getData('text/plain') ?? '';
  if (text !== '' && !isReadOnly) onPaste(text);
}

/** The colours of the place, as the browser has worked them out. */
function themeOf(place: HTMLElement): ITheme {
  const { backgroundColor, color } = getComputedStyle(place);
  const isDark = document.documentElement.classList.contains('nr-theme-dark') || isDarkColor(backgroundColor);
  return {
    background: backgroundColor,
    foreground: color,
    cursor: color,
    cursorAccent: backgroundColor,
    selectionBackground: isDark ? '#3a5a80' : '#b5d5ff',
    ...(isDark ? {} : LIGHT),
  };
}

/** xterm's own colours are for a dark ground. */
const LIGHT: ITheme = {
  red: '#b42318',
  green: '#18794e',
  yellow: '#8a6100',
  blue: '#1d5fbf',
  magenta: '#8b3fa8',
  cyan: '#0b7285',
  white: '#6b6b6b',
};

function isDarkColor(color: string): boolean {
  const [red = 255, green = 255, blue = 255] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return red + green + blue < 384;
}
