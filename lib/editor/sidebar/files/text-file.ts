/** Which files are text that can be edited, and in which language. */

/** Larger ones, and those that are no text, can be downloaded. */
const MAX_EDIT = 512 * 1024;

const MODES: Readonly<Record<string, string>> = {
  py: 'python',
  json: 'json',
  js: 'javascript',
  html: 'html',
  css: 'css',
  md: 'markdown',
};

/** The text of a file; `undefined` for what is none, or too long to be edited. */
export async function textIn(content: Blob): Promise<string | undefined> {
  if (content.size > MAX_EDIT) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await content.arrayBuffer(),
    );
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The mode of Node-RED's editor for a file of this name. */
export function modeOf(path: string): string {
  return `ace/mode/${MODES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'text'}`;
}
