/** Every error has words: what it is, what to do, and no variable in them that nobody fills in. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { BoardError, EspError, MicroPythonError, PortError } from '../../lib/board/errors.ts';
import { diagnose, InputError } from '../../lib/runtime/diagnosis.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CATALOGUE = `${ROOT}nodes/esp32-board/locales/en-US/esp32-board.json`;

type Entry = Record<string, string>;
const { diagnosis } = JSON.parse(readFileSync(CATALOGUE, 'utf8')) as { diagnosis: Record<string, Entry> };

/** `diagnose` adds the port to what a port's error carries. */
const ALWAYS: Readonly<Record<string, string[]>> = { PortError: ['port'] };

/** The facts by which `diagnose` chooses among the words of a code: `cause_empty` is for `case: 'empty'`. */
const CASES = ['heard', 'case', 'unit'];

/** Facts that `diagnose` makes out of what a traceback says. */
const TRACEBACK = ['type', 'message', 'text', 'frames'];

/** What a class of errors takes, by name: `code` and `facts` are looked for among them. */
interface ErrorClass {
  codes: string[];
  parameters: readonly string[];
}

/** All classes of errors that have a `code`. */
function errorClasses(): Map<string, ErrorClass> {
  const checker = sources().getTypeChecker();
  const found = new Map<string, ErrorClass>();
  for (const file of sources().getSourceFiles()) {
    if (!/\/lib\/[^/]+\/(errors|diagnosis)\.ts$/.test(file.fileName)) continue;
    for (const statement of file.statements) {
      if (!ts.isClassDeclaration(statement) || !statement.name) continue;
      const symbol = checker.getSymbolAtLocation(statement.name)!;
      const code = checker.getDeclaredTypeOfSymbol(symbol).getProperty('code');
      const [maker] = checker.getTypeOfSymbol(symbol).getConstructSignatures();
      if (!code || !maker) continue;
      const parameters = maker.parameters.map(({ name }) => name);
      found.set(statement.name.text, { codes: literals(checker.getTypeOfSymbol(code)), parameters });
    }
  }
  return found;
}

const declared = (): string[] => [...errorClasses().values()].flatMap(({ codes }) => codes);

let program: ts.Program | undefined;
function sources(): ts.Program {
  const list = readdirSync(`${ROOT}lib`, { recursive: true, encoding: 'utf8' });
  const files = list.filter((name) => name.endsWith('.ts')).map((name) => `${ROOT}lib/${name}`);
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  return (program ??= ts.createProgram(files, { ...options, types: ['node'] }));
}

/** The words a type of literals stands for. */
function literals(type: ts.Type): string[] {
  const members = type.isUnion() ? type.types : [type];
  return members.flatMap((member) => (member.isStringLiteral() ? [member.value] : []));
}

interface Thrown {
  codes: string[];
  facts: Set<string>;
  where: string;
}

/** Every place in `lib` that makes an error, with the facts it gives by their types. */
function thrown(): Thrown[] {
  const checker = sources().getTypeChecker();
  const classes = errorClasses();
  const found: Thrown[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isNewExpression(node)) return;
    const name = node.expression.getText();
    const parameters = classes.get(name)?.parameters;
    const code = parameters && node.arguments?.[parameters.indexOf('code')];
    if (!code) return;
    const given = node.arguments[parameters.indexOf('facts')];
    const properties = given ? checker.getTypeAtLocation(given).getProperties() : [];
    const file = node.getSourceFile();
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push({
      codes: literals(checker.getTypeAtLocation(code)),
      facts: new Set([...(ALWAYS[name] ?? []), ...properties.map((property) => property.name)]),
      where: `${file.fileName.slice(ROOT.length)}:${line + 1}`,
    });
  };
  for (const file of sources().getSourceFiles()) {
    if (file.fileName.startsWith(`${ROOT}lib/`)) visit(file);
  }
  return found;
}

const variables = (text: string): string[] => [...text.matchAll(/__(\w+?)__/g)].map(([, name]) => name!);

describe('runtime: words for errors', function () {
  this.timeout(60_000);

  it('are there for every code, and for no other', () => {
    const known = [...new Set(declared())];
    assert.ok(known.length > 40);
    assert.deepEqual(Object.keys(diagnosis).toSorted(), [...known, 'unexpected'].toSorted());
  });

  for (const [code, entry] of Object.entries(diagnosis)) {
    it(`${code}: cause, remedy and a few words for the status`, () => {
      for (const part of ['cause', 'remedy', 'short']) assert.ok(entry[part]?.trim(), part);
      assert.ok(entry['short']!.length <= 24, entry['short']);
      assert.doesNotMatch(entry['short']!, /\n/);
      assert.doesNotMatch(entry['cause']!, /\n/);
      for (const text of Object.values(entry)) assert.doesNotMatch(text, /^\s|\s$|\n\s*\n|\bundefined\b/);
    });
  }

  it('name only variables that every place gives which throws the code', () => {
    const places = thrown();
    for (const [code, entry] of Object.entries(diagnosis)) {
      const used = new Set(Object.values(entry).flatMap(variables));
      const anywhere = new Set(
        Object.keys(entry)
          .filter((key) => !key.includes('_'))
          .flatMap((key) => variables(entry[key]!)),
      );
      const plain = places.filter(({ codes: each }) => each.length === 1 && each[0] === code);
      for (const { facts, where } of plain) {
        const hasCases = CASES.some((name) => facts.has(name));
        for (const name of hasCases ? used : anywhere) {
          const isThere = facts.has(name) || (code === 'python-error' && TRACEBACK.includes(name));
          assert.ok(isThere, `${code}: __${name}__ is not given at ${where}`);
        }
      }
      if (used.size > 0 && plain.length === 0) {
        const some = places.filter(({ codes: each }) => each.includes(code));
        assert.ok(some.length > 0, `${code} is thrown nowhere`);
        for (const name of used)
          assert.ok(
            some.some(({ facts }) => facts.has(name)),
            `${code}: __${name}__`,
          );
      }
    }
  });

  it('of what cannot be used name it, what was found, and what is needed', () => {
    for (const code of ['bad-payload', 'bad-property']) {
      const named = variables(diagnosis[code]!['cause']!).toSorted();
      assert.deepEqual(named, ['expected', 'found', 'property'], code);
    }
  });

  it('are of codes that are thrown', () => {
    const alive = new Set(thrown().flatMap(({ codes: each }) => each));
    const dead = [...new Set(declared())].filter((code) => !alive.has(code));
    assert.deepEqual(dead, []);
  });

  it('follow what the board was heard to say', () => {
    const asked: [string, unknown][] = [];
    const words = (key: string, facts?: Record<string, unknown>): string => {
      asked.push([key.split(':')[1]!, facts?.['context']]);
      return `${key}\nsecond line`;
    };
    const error = new MicroPythonError('no-prompt', 'no raw REPL', { heard: 'brown-out' });
    const { code, remedy, evidence } = diagnose(error, words);
    assert.equal(code, 'no-prompt');
    assert.equal(remedy.length, 2);
    assert.deepEqual(evidence, { heard: 'brown-out' });
    assert.deepEqual(asked, [
      ['diagnosis.no-prompt.cause', 'brown-out'],
      ['diagnosis.no-prompt.remedy', 'brown-out'],
      ['diagnosis.no-prompt.short', 'brown-out'],
    ]);
  });

  it('follow the case of an error, or the unit that it counts in', () => {
    const context = (facts: Record<string, unknown>): unknown => {
      let asked: unknown;
      diagnose(new InputError('bad-payload', 'm', facts), (key, given) => {
        asked = given?.['context'];
        return key;
      });
      return asked;
    };
    assert.equal(context({ case: 'empty' }), 'empty');
    assert.equal(context({ unit: 'bytes' }), 'bytes');
    assert.equal(context({ found: 'string' }), undefined);
  });

  it('have the facts of every kind of error', () => {
    const words = (key: string): string => key;
    const facts = (error: unknown): object => diagnose(error, words).evidence;
    assert.deepEqual(facts(new PortError('port-lost', 'COM3', 'gone', { reason: 'x' })), {
      port: 'COM3',
      reason: 'x',
    });
    assert.deepEqual(facts(new EspError('verify-failed', 'm', { offset: 1 })), { offset: 1 });
    assert.deepEqual(facts(new BoardError('cancelled', 'm')), {});
    assert.deepEqual(facts(new InputError('bad-payload', 'm', { found: 'null' })), { found: 'null' });
    const text = 'Traceback (most recent call last):\r\n  File "x.py", line 3, in f\r\nOSError: 28\r\n';
    const python = diagnose(new MicroPythonError('python-error', text, { text }), words).evidence;
    assert.equal(python['type'], 'OSError');
    assert.equal(python['line'], 3);
    for (const odd of [new Error('odd'), 'odd', undefined, null, { odd: true }]) {
      assert.equal(diagnose(odd, words).code, 'unexpected');
    }
  });
});
