/**
 * Modules that files on a board may stand in for: `import json` makes MicroPython look for a json.py, json.mpy and
 * folder json in each place of `sys.path`, which takes a real file system as long as the transfer of a small file.
 * Under its name with a u, the firmware's own is meant: at once, and whatever files the board has. CircuitPython has no
 * such names.
 * Source: MicroPython docs "Extending built-in libraries from Python"; `mp_module_get_builtin` of py/objmodule.c.
 */
const EXTENSIBLE = ['binascii', 'hashlib', 'io', 'json', 'os', 'select', 'struct', 'time'];

/** A minified script that imports what all parts of it do once, at its begin; the firmware's own where it can. */
export function withOwnModules(source: string): string {
  const names = new Set<string>();
  const rest = source.replace(/^import (.*)\n/gm, (_, list: string) => {
    for (const name of list.split(',')) names.add(name);
    return '';
  });
  const all = `import ${[...names].join(',')}\n${rest}`;
  return all.replace(/^( *)(import|from) .*$/gm, (line, indent: string) => ownFirst(line, indent));
}

function ownFirst(line: string, indent: string): string {
  const own = line
    .replace(/(?<=from )\w+/, (name) => (EXTENSIBLE.includes(name) ? `u${name}` : name))
    .replace(/(?<=^ *import ).*/, (list) => list.split(',').map(ownName).join(','));
  if (own === line) return line;
  return ['try:', ` ${own.trim()}`, 'except ImportError:', ` ${line.trim()}`]
    .map((each) => indent + each)
    .join('\n');
}

function ownName(name: string): string {
  return EXTENSIBLE.includes(name) ? `u${name} as ${name}` : name;
}
