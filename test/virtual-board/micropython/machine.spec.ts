import assert from 'node:assert/strict';
import { Bench } from './bench.ts';

describe('virtual board: machine and its neighbours', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench();
    await bench.prompt();
    await bench.line('import machine, esp, esp32, network');
  });

  afterEach(() => {
    bench.stop();
  });

  it('asks the chip for a reset when its output is out; what was not closed is lost', async () => {
    await bench.line('f=open("x","w");_=f.write("kept");f.close()');
    bench.send('f=open("x","w");_=f.write("lost");print("bye");machine.reset()\r');
    await bench.until(() => bench.requests.length > 0);
    assert.match(await bench.expect('bye\r\n'), /bye/);
    assert.deepEqual(bench.requests, [{ kind: 'reset' }]);
    bench.powerCycle();
    await bench.prompt();
    assert.equal(await bench.line('open("x").read()'), "'kept'\r\n");
  });

  it('asks for deep sleep and the loader', async () => {
    bench.send('machine.deepsleep(1500)\r');
    await bench.until(() => bench.requests.length > 0);
    assert.deepEqual(bench.requests, [{ kind: 'deep-sleep', ms: 1500 }]);
    bench.powerCycle();
    await bench.prompt();
    bench.send('import machine;machine.bootloader()\r');
    await bench.until(() => bench.requests.length > 1);
    assert.deepEqual(bench.requests[1], { kind: 'bootloader' });
  });

  it('barks when its watchdog is not fed', async () => {
    bench.send('w=machine.WDT(timeout=50)\r');
    await bench.until(() => bench.requests.length > 0);
    assert.deepEqual(bench.requests[0], { kind: 'watchdog' });
  });

  it('moves its own baud rate through the registers', async () => {
    assert.equal(await bench.line('hex(machine.mem32[0x3FF40014])'), "'0xa00008'\r\n");
    bench.send('m=machine.mem32;m[0x3FF40014]=80000000//921600;m[0x3FF40020]=m[0x3FF40020]|1<<27\r');
    await bench.until(() => bench.requests.length > 1);
    const last = bench.requests.at(-1);
    assert.ok(last?.kind === 'uart-baud' && Math.abs(last.baudRate / 921600 - 1) < 0.02);
    await bench.prompt();
    await bench.line('m[0x3FF40020]=m[0x3FF40020]&~(1<<27);m[0x3FF40014]=0xA00008');
    const back = bench.requests.at(-1);
    assert.ok(back?.kind === 'uart-baud' && Math.abs(back.baudRate / 115200 - 1) < 0.02);
  });

  it('knows itself', async () => {
    assert.equal(await bench.line('machine.unique_id()'), "b'$\\n\\xc4\\x01\\x02\\x03'\r\n");
    assert.equal(await bench.line('machine.freq()'), '160000000\r\n');
    assert.equal(await bench.line('machine.reset_cause()'), '1\r\n');
    assert.equal(await bench.line('esp.flash_size()'), `${0x20000 + 0x40000}\r\n`);
    assert.match(
      await bench.line('esp32.Partition.find(1,label="vfs")[0]'),
      /address=131072, size=262144, label=vfs/,
    );
    assert.equal(
      await bench.line('machine.UART(0,115200)').then((text) => text.includes('ESP_ERR_INVALID_STATE')),
      true,
    );
  });

  it('joins a network', async () => {
    await bench.line('w=network.WLAN(network.STA_IF);_=w.active(True)');
    assert.equal(await bench.line('w.isconnected()'), 'False\r\n');
    await bench.line('w.connect("virtual","key")');
    assert.equal(await bench.line('w.isconnected(),w.ifconfig()[0]'), "(True, '192.0.2.10')\r\n");
  });

  it('remembers pins and finds them again after import', async () => {
    await bench.line('from machine import Pin;p=Pin(2,Pin.OUT);p.on();p.off();p(1)');
    assert.equal(await bench.line('Pin(2) is p,p.value(),p.changes,p'), '(True, 1, [1, 0, 1], Pin(2))\r\n');
    assert.match(await bench.line('Pin(99)'), /ValueError: invalid pin/);
  });
});
