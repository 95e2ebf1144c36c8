/** The errors' part of the board's help, made of the catalogue, so that it lists every code and no other. */

/** Of one error: `cause`, `remedy`, `short`, and others of these for what was heard (`cause_brown-out`). */
export type Words = Readonly<Record<string, string>>;

/** Where the help of the board node says that the list shall stand. */
const PLACE = '<!-- errors -->';

/** The help with one entry an error, which opens by a click; its anchor is the error's code. */
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
