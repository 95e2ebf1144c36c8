# A small asyncio: tasks, sleeping, gathering, waiting. The interpreter's own hands its tasks to a
# JavaScript event loop, which a board has none of.
import select
import sys
import time


class CancelledError(BaseException):
    pass


class TimeoutError(Exception):
    pass


_ready = []
_sleeping = []
_current = None


class _Wait:
    # What a task yields: wake it in so many milliseconds, or when something wakes it.
    def __init__(self, ms):
        self.ms = ms

    def __iter__(self):
        return self

    def __next__(self):
        if self.ms is None:
            raise StopIteration
        ms, self.ms = self.ms, None
        _current._sleep(ms)
        return self


class Task:
    def __init__(self, coroutine):
        self.coroutine = coroutine
        self._waiters = []
        self._done = False
        self._error = None
        self._result = None
        self._throw = None
        self._until = None

    def done(self):
        return self._done

    def cancel(self):
        if self._done or self is _current:
            return False
        self._throw = CancelledError()
        self._wake()
        return True

    def _sleep(self, ms):
        # None: until woken.
        self._until = None if ms is None else time.ticks_add(time.ticks_ms(), max(ms, 0))
        _sleeping.append(self)

    def _wake(self):
        if self in _sleeping:
            _sleeping.remove(self)
        if self not in _ready and not self._done:
            _ready.append(self)

    def _step(self):
        global _current
        _current = self
        try:
            if self._throw:
                error, self._throw = self._throw, None
                self.coroutine.throw(error)
            else:
                self.coroutine.send(None)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except (CancelledError, Exception) as error:
            self._finish(None, error)
        else:
            if self not in _sleeping and self not in _ready:
                _ready.append(self)
        finally:
            _current = None

    def _finish(self, result, error):
        self._done = True
        self._result = result
        self._error = error
        if error and not self._waiters and not isinstance(error, CancelledError):
            Loop.call_exception_handler(
                {"message": "Task exception wasn't retrieved", "exception": error, "future": self}
            )
        for task in self._waiters:
            task._wake()

    def __iter__(self):
        waiter = _current
        if not self._done:
            self._waiters.append(waiter)
            try:
                while not self._done:
                    yield from _Block()
            finally:
                self._waiters.remove(waiter)
        if self._error:
            raise self._error
        return self._result


class _Block:
    def __init__(self):
        self._asked = False

    def __iter__(self):
        return self

    def __next__(self):
        if self._asked:
            raise StopIteration
        self._asked = True
        _current._sleep(None)
        return self


def sleep_ms(ms):
    return _Wait(ms)


def sleep(seconds):
    return _Wait(int(seconds * 1000))


def create_task(coroutine):
    task = Task(coroutine)
    _ready.append(task)
    return task


def current_task():
    if _current is None:
        raise RuntimeError("no running event loop")
    return _current


def _run_until(main):
    while not main._done:
        now = time.ticks_ms()
        for task in list(_sleeping):
            if task._until is not None and time.ticks_diff(task._until, now) <= 0:
                task._wake()
        if _ready:
            _ready.pop(0)._step()
            continue
        times = [t._until for t in _sleeping if t._until is not None]
        if not times:
            raise RuntimeError("all tasks wait for each other")
        time.sleep_ms(max(0, min(time.ticks_diff(t, now) for t in times)))
    if main._error:
        raise main._error
    return main._result


def run(coroutine):
    main = create_task(coroutine)
    main._waiters.append(main)
    return _run_until(main)


class Loop:
    _handler = None

    def create_task(self, coroutine):
        return create_task(coroutine)

    def run_until_complete(self, coroutine):
        return run(coroutine)

    def run_forever(self):
        async def forever():
            while True:
                await sleep(3600)

        run(forever())

    def stop(self):
        pass

    def close(self):
        pass

    @classmethod
    def set_exception_handler(cls, handler):
        cls._handler = handler

    @classmethod
    def call_exception_handler(cls, context):
        if cls._handler:
            cls._handler(Loop, context)
            return
        print(context["message"])
        print("future:", context["future"], "coro=", context["future"].coroutine)
        sys.print_exception(context["exception"])


def get_event_loop():
    return Loop()


def new_event_loop():
    _ready.clear()
    _sleeping.clear()
    return Loop()


async def gather(*coroutines, return_exceptions=False):
    tasks = [c if isinstance(c, Task) else create_task(c) for c in coroutines]
    results = []
    for task in tasks:
        try:
            results.append(await task)
        except (CancelledError, Exception) as error:
            if not return_exceptions:
                raise
            results.append(error)
    return results


async def wait_for_ms(coroutine, ms):
    task = coroutine if isinstance(coroutine, Task) else create_task(coroutine)
    until = time.ticks_add(time.ticks_ms(), ms)
    while not task.done():
        left = time.ticks_diff(until, time.ticks_ms())
        if left <= 0:
            task.cancel()
            try:
                await task
            except CancelledError:
                pass
            raise TimeoutError
        await sleep_ms(min(left, 10))
    return await task


async def wait_for(coroutine, seconds):
    if seconds is None:
        return await coroutine
    return await wait_for_ms(coroutine, int(seconds * 1000))


class Event:
    def __init__(self):
        self._set = False
        self._waiters = []

    def is_set(self):
        return self._set

    def set(self):
        self._set = True
        for task in self._waiters:
            task._wake()
        self._waiters.clear()

    def clear(self):
        self._set = False

    async def wait(self):
        while not self._set:
            self._waiters.append(_current)
            await _Block()
        return True


class ThreadSafeFlag:
    def __init__(self):
        self._set = False

    def set(self):
        self._set = True

    def clear(self):
        self._set = False

    async def wait(self):
        while not self._set:
            await sleep_ms(1)
        self._set = False


class Lock:
    def __init__(self):
        self._locked = False
        self._waiters = []

    def locked(self):
        return self._locked

    def release(self):
        if not self._locked:
            raise RuntimeError("Lock not acquired")
        self._locked = False
        if self._waiters:
            self._waiters.pop(0)._wake()

    async def acquire(self):
        while self._locked:
            self._waiters.append(_current)
            await _Block()
        self._locked = True
        return True

    async def __aenter__(self):
        return await self.acquire()

    async def __aexit__(self, kind, error, traceback):
        self.release()


class StreamReader:
    # Over stdin, the one stream a program on this board has.
    def __init__(self, stream, extra=None):
        self.s = stream
        self._poll = select.poll()
        self._poll.register(stream, select.POLLIN)

    async def read(self, n=-1):
        while not self._poll.poll(0):
            await sleep_ms(1)
        data = self.s.read(1)
        while data is not None and (n < 0 or len(data) < n) and self._poll.poll(0):
            data += self.s.read(1)
        return data

    async def readline(self):
        line = await self.read(1)
        while not line.endswith("\n" if isinstance(line, str) else b"\n"):
            line += await self.read(1)
        return line
