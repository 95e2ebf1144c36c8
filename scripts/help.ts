/** What the build makes of the nodes' help before Node-RED shows it. */

/** Of one error: `cause`, `remedy`, `short`, and others of these for what was heard (`cause_brown-out`). */
export type Words = Readonly<Record<string, string>>;

/** Where the help of the board node says that the list shall stand. */
const PLACE = '<!-- errors -->';

/**
 * The help as Node-RED shows it whole: to its Markdown a second colon in a line is the begin of a property, and what
 * stands before it is lost. Those colons are written as an entity, which code in backticks does not know.
 * Source: `descriptionList` and `description` in `editor-client/src/js/ui/utils.js`.
 */
export function withSafeColons(help: string): string {
  let isCode = false;
  const safe = (line: string): string => {
    if (line.startsWith('```')) isCode = !isCode;
    if (isCode || line.startsWith('<')) return line;
    const [, head = '', words = line] = /^(: .+? \(.+?\) : )(.*)$/.exec(line) ?? [];
    return head + words.replace(/`([^`]*)`|\]\([^)]*\)|:/g, entity);
  };
  return help.split('\n').map(safe).join('\n');
}

function entity(found: string, code: string | undefined): string {
  if (code?.includes(':')) return `<code>${html(code).replaceAll(':', '&#58;')}</code>`;
  return found === ':' ? '&#58;' : found;
}

/**
 * The board's help with one entry an error, made of the catalogue, so that it lists every code and no other. It opens
 * by a click; its anchor is the error's code.
 */
export function withErrors(help: string, diagnosis: Readonly<Record<string, Words>>): string {
  if (!help.includes(PLACE)) throw new Error(`the help of the board has no ${PLACE}`);
  const entries = Object.entries(diagnosis).map(([code, words]) => entry(code, words));
  return help.replace(PLACE, () => entries.join('\n'));
}

function entry(code: string, words: Words): string {
  const part = (name: string): string[] =>
    Object.keys(words)
      .filter((key) => key === name || key.startsWith(`${name}_`))
      .flatMap((key) => (words[key] ?? '').split('\n'));
  const causes = part('cause').map((line) => `<p>${html(line)}</p>`);
  const remedies = part('remedy').map((line) => `<li>${html(line)}</li>`);
  const title = `<code>${code}</code> ${html(words['short'] ?? '')}`;
  return `<details id="${code}"><summary>${title}</summary>${causes.join('')}<ul>${remedies.join('')}</ul></details>`;
}

/** As HTML; what an error fills in (`__path__`) stands as the name of it. */
export function html(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/__(\w+?)__/g, '‹$1›');
}
