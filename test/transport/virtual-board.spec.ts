import assert from 'node:assert/strict';
import { Inbox } from '../../lib/transport/inbox.ts';
import { openTransport } from '../../lib/transport/open.ts';
import { Closing } from '../support/closing.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const inTime = { timeoutMs: 10_000 };

describe('transport: RFC 2217 with the virtual board', () => {
  it('resets by RTS, enters the loader by DTR, and leaves the board alone when it opens and closes', async () => {
    const closing = new Closing();
    try {
      const board = await launchBoard({ timing: 'none' });
      closing.later(() => board.close());
      const transport = await openTransport(board.rfc2217);
      closing.later(() => transport.close());
      const inbox = new Inbox(transport);
      assert.ok(transport.hasModemLines);

      await transport.setModemLines({ dtr: false, rts: true });
      await transport.setModemLines({ dtr: true, rts: false });
      await inbox.until('waiting for download', inTime);
      await transport.setModemLines({ dtr: false, rts: false });

      await transport.setModemLines({ dtr: false, rts: true });
      await transport.setModemLines({ dtr: false, rts: false });
      await inbox.until('>>> ', inTime);
      await transport.setBaudRate(115200);

      const resets = (): number => board.log().filter((event) => event.name === 'reset').length;
      assert.ok(resets() >= 2);
      board.clearLog();
      await transport.setModemLines({ dtr: true, rts: true });
      await transport.close();
      const again = await openTransport(board.rfc2217);
      closing.later(() => again.close());
      const second = new Inbox(again);
      await again.write(Buffer.from('6*7\r'));
      await second.until('42', inTime);
      assert.equal(resets(), 0);
    } finally {
      await closing.all();
    }
  });
});
