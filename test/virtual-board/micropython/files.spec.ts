import assert from 'node:assert/strict';
import { Bench, VFS } from './bench.ts';
import { NorFlash } from '../nor-flash.ts';

describe('virtual board: files', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench();
    await bench.prompt();
    await bench.raw();
  });

  afterEach(() => {
    bench.stop();
  });

  const again = async () => {
    bench.powerCycle();
    const greeting = await bench.prompt();
    await bench.raw();
    return greeting;
  };

  it('survive a reset: content, folders, names', async () => {
    const first = await bench.run(
      [
        'import os',
        'os.mkdir("d"); os.mkdir("d/e")',
        'f=open("d/e/x.bin","wb"); f.write(bytes(range(256))*40); f.close()',
        'f=open("a.txt","w"); f.write("one\\n"); f.close()',
        'f=open("a.txt","a"); f.write("two\\n"); f.close()',
        'f=open("gone","w"); f.close(); os.remove("gone")',
        'os.rename("d/e","d/f"); os.mkdir("r"); os.rmdir("r")',
        'os.rename("/a.txt","/d/b.txt"); os.chdir("/d"); os.rename("/d/b.txt","/a.txt"); os.chdir("/")',
      ].join('\n'),
    );
    assert.equal(first.error, '');
    assert.doesNotMatch(await again(), /initial setup/);
    const second = await bench.run(
      [
        'import os',
        'print(os.listdir("/"), os.listdir("d"), os.listdir("/d/f"))',
        'print(open("d/f/x.bin","rb").read()==bytes(range(256))*40, repr(open("a.txt").read()))',
      ].join('\n'),
    );
    assert.equal(second.output, "['a.txt', 'boot.py', 'd'] ['f'] ['x.bin']\r\nTrue 'one\\ntwo\\n'\r\n");
  });

  it('are gone after an erase of their partition', async () => {
    await bench.run('open("x","w").close()');
    bench.stop();
    bench.flash.erase(VFS.offset, VFS.size);
    assert.match(await again(), /^Performing initial setup\r\n/);
    assert.equal((await bench.run('import os;print(os.listdir())')).output, "['boot.py']\r\n");
  });

  it('are not made up where something else lies in their partition', async () => {
    const flash = NorFlash.blank(VFS.offset + VFS.size);
    flash.program(VFS.offset, Buffer.from('not a file system'));
    const other = new Bench(flash);
    try {
      await other.expect('by firmware programming).\r\n\r\n');
      other.send('\x03');
      await other.prompt();
      assert.match(await other.line('import os;os.listdir()'), /OSError/);
    } finally {
      other.stop();
    }
  });

  it('keep the old content when power fails before they are closed', async () => {
    await bench.run('f=open("x","w"); f.write("old"); f.close()');
    bench.send('f=open("x","w"); f.write("new"*3000); print("half")\nwhile True: pass\x04');
    await bench.expect('half');
    await again();
    assert.equal((await bench.run('print(open("x").read())')).output, 'old\r\n');
    await bench.run('f=open("x","w"); f.write("new"); f.flush()');
    await again();
    assert.equal((await bench.run('print(open("x").read())')).output, 'new\r\n');
  });

  it('are closed by a soft reset', async () => {
    await bench.run('f=open("x","w"); f.write("kept")');
    bench.send('\x04');
    await bench.expect('raw REPL; CTRL-B to exit\r\n>');
    assert.equal((await bench.run('print(open("x").read())')).output, 'kept\r\n');
  });

  it('answer with the error numbers of a board', async () => {
    const errors = async (code: string) =>
      (
        await bench.run(
          `import os\ntry:\n  ${code}\n  print('no error')\nexcept OSError as e:\n  print(e.errno)`,
        )
      ).output;
    await bench.run('import os\nos.mkdir("d")\nopen("d/x","w").close()\nopen("f","w").close()');
    assert.equal(await errors('open("nothing")'), '2\r\n');
    assert.equal(await errors('open("no/thing","w")'), '2\r\n');
    assert.equal(await errors('os.mkdir("d")'), '17\r\n');
    assert.equal(await errors('open("d")'), '21\r\n');
    assert.equal(await errors('open("d","w")'), '21\r\n');
    assert.equal(await errors('os.rmdir("d")'), '39\r\n');
    assert.equal(await errors('os.listdir("nothing")'), '2\r\n');
    assert.equal(await errors('os.listdir("f")'), '20\r\n');
    assert.equal(await errors('os.remove("nothing")'), '2\r\n');
    assert.equal(await errors('os.stat("nothing")'), '2\r\n');
    assert.equal(await errors('os.chdir("nothing")'), '2\r\n');
    assert.equal(await errors('os.listdir("/../")'), '2\r\n');
    assert.match(
      (await bench.run('open("nothing")')).error,
      /line 1, in <module>\r\nOSError: \[Errno 2\] ENOENT\r\n$/,
    );
    const missing = await bench.run('os.listdir("nothing")');
    assert.equal(
      missing.error,
      'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nOSError: [Errno 2] ENOENT\r\n',
    );
  });

  it('fill the partition and no more', async () => {
    const { output, error } = await bench.run(
      [
        'import os',
        'try:',
        '  f=open("big","wb")',
        '  while True: f.write(bytes(4096))',
        'except OSError as e:',
        '  print(e.errno)',
        'f.close()',
        'big=os.stat("big")[6]',
        's=os.statvfs("/")',
        'print(s[0], s[2], s[3], big > 150000)',
        'os.remove("big")',
        'print(os.statvfs("/")[3]*4096 >= big)',
      ].join('\n'),
    );
    assert.equal(error, '');
    assert.equal(output, `28\r\n4096 ${VFS.size / 4096} 0 True\r\nTrue\r\n`);
    await again();
    assert.equal((await bench.run('import os;print(os.listdir())')).output, "['boot.py']\r\n");
  });

  it('are listed with type and size, and imported', async () => {
    await bench.run(
      'import os\nos.mkdir("lib")\nf=open("lib/m.py","w");f.write("x=41\\ndef f(): 1/0");f.close()',
    );
    const { output } = await bench.run(
      'print(list(os.ilistdir("/")), list(os.ilistdir("lib")), os.stat("lib/m.py")[:7])',
    );
    assert.equal(
      output,
      "[('boot.py', 32768, 0, 139), ('lib', 16384, 0, 0)] [('m.py', 32768, 0, 17)] (32768, 0, 0, 0, 0, 0, 17)\r\n",
    );
    assert.equal((await bench.run('import m;print(m.x+1)')).output, '42\r\n');
    assert.match((await bench.run('m.f()')).error, /File "\/lib\/m\.py", line 2, in f\r\nZeroDivisionError/);
  });

  it('outlive a kill at any moment', async () => {
    for (let round = 0; round < 12; round++) {
      bench.send(
        'i=0\nwhile True:\n  f=open("x","w");f.write(str(i)*3000);f.close();i=(i+1)%10\n  print(i)\x04',
      );
      for (let i = 0; i <= round; i++) await bench.expect('\r\n');
      await again();
      const { output } = await bench.run(
        'import os\nd=open("x").read()\nprint(os.listdir(), len(d), len(set(d)))',
      );
      assert.equal(output, "['boot.py', 'x'] 3000 1\r\n");
    }
  });
});
