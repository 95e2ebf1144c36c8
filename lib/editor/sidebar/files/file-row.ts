/** A file or folder as a row of the tree. */
import { h, icon } from '../../dom.ts';
import type { BoardFile } from '../../wire.ts';
import { size } from '../../words.ts';
import { nameOf } from './paths.ts';

interface RowState {
  /** Of a folder: what is in it is shown. */
  isOpen: boolean;
  isSelected: boolean;
}

const INDENT_PX = 16;
const FIRST_INDENT_PX = 10;

export function fileRow(
  { path, isFolder, bytes }: BoardFile,
  { isOpen, isSelected }: RowState,
  on: { click: () => void; doubleClick: () => void },
): HTMLElement {
  const depth = path.split('/').length - 2;
  const symbol = isFolder ? (isOpen ? 'folder-open-o' : 'folder-o') : symbolOf(path);
  return h(
    'div',
    {
      role: 'treeitem',
      className: 'esp32-file',
      tabIndex: -1,
      style: `padding-left: ${FIRST_INDENT_PX + depth * INDENT_PX}px`,
      'data-path': path,
      'aria-level': depth + 1,
      'aria-selected': String(isSelected),
      'aria-expanded': isFolder ? String(isOpen) : undefined,
      onclick: on.click,
      ondblclick: on.doubleClick,
    },
    icon(symbol),
    h('span', { className: 'esp32-file-name' }, nameOf(path)),
    !isFolder && h('span', { className: 'esp32-file-size' }, size(bytes)),
  );
}

const SYMBOLS: Readonly<Record<string, string>> = {
  py: 'file-code-o',
  js: 'file-code-o',
  html: 'file-code-o',
  css: 'file-code-o',
  json: 'file-text-o',
  txt: 'file-text-o',
  md: 'file-text-o',
};

function symbolOf(path: string): string {
  return SYMBOLS[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'file-o';
}
