/**
 * `npm start`: Node-RED with this package, an example flow, and a board that answers. On Ctrl-C all of it
 * ends. HOST and PORT change the address; `--board PORT` uses a real board instead of the virtual one.
 */
import { parseArgs } from 'node:util';
import { startDemo } from './demo.ts';

const { values } = parseArgs({ options: { board: { type: 'string' } } });

const demo = await startDemo({
  host: process.env['HOST'] ?? '127.0.0.1',
  port: Number(process.env['PORT'] ?? 1880),
  ...(values.board === undefined ? {} : { board: values.board }),
});

console.log(`
  Node-RED runs at  ${demo.url}

  1  Open it in your browser. The flow "Flash and greet" is there.
  2  Click the button on the left of "flash MicroPython": the board is flashed and starts.
  3  Click "ask 2 + 2", then "write main.py": look at the debug sidebar on the right.

  The board: ${demo.board}
  Ctrl-C ends all of it.
`);

let ending = false;
function end(): void {
  if (ending) return;
  ending = true;
  void demo.close().then(() => process.exit(0));
}
process.on('SIGINT', end);
process.on('SIGTERM', end);
void demo.exited.then((code) => {
  if (!ending) console.error(`Node-RED ended by itself (exit code ${code}).`);
  void demo.close().then(() => process.exit(ending ? 0 : 1));
});
