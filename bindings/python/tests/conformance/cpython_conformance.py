#!/usr/bin/env python3
"""Runs CPython's own multiprocessing tests against a drop-in replacement module.

    python cpython_conformance.py                          # against multiprocessing itself (must be all green)
    python cpython_conformance.py --module mypkg.mp        # against any module with the same names
    python cpython_conformance.py --module X --start-method spawn -k Queue --json out.json
    python cpython_conformance.py --counts                 # tests per class in this interpreter

How it works
  Lib/test/_test_multiprocessing.py keeps its tests in abstract classes (_TestLock, _TestQueue ...) that
  reach everything under test through `self`: self.Lock(), self.Queue(), self.Process(...).  CPython
  makes concrete classes by mixing in ProcessesMixin, whose attributes are multiprocessing.Lock & co.
  Here a subclass of ProcessesMixin takes these attributes from --module instead.  A few tests reach
  for the *global* multiprocessing (multiprocessing.Queue(), sharedctypes.Value, shared_memory,
  managers.SharedMemoryManager); for those the global names inside the test module are replaced by
  proxies.  Process (and Pool) stay multiprocessing's own unless --use-module-process is given, since
  the point is that the handles can be passed to ordinary child processes.
  Each test runs in its own interpreter with a time limit, so that a deadlock is one result
  ("timeout") and not the end of the run.

CPython's own Lock and Semaphore tests never leave one process, and nothing there kills a process.
--extra adds our tests for that: ConfExtra (several processes: must pass) and ConfCrash (a party is
SIGKILLed: multiprocessing fails these; they are the reason for a replacement).

Sorting of the results
  private     looks at a CPython implementation detail: left out for a replacement (--all runs it)
  divergence  observable, but a replacement may well choose better (e.g. put() of an unpicklable
              object raising at once): run and reported, does not make the exit status non-zero
              unless --strict
  fallback    the module lacks the name (e.g. RawArray): taken from multiprocessing and reported
Names taken from the module when present: Lock RLock Semaphore BoundedSemaphore Condition Event
Barrier Queue JoinableQueue Pipe Value Array RawValue RawArray, and for _TestSharedMemory:
SharedMemory ShareableList SharedMemoryManager (directly or from X.shared_memory / X.managers).
"""
import argparse, ast, faulthandler, importlib, inspect, json, os, re, signal, subprocess, sys, textwrap, time, types, unittest

ENV_MODULE, ENV_START, ENV_FLAGS, ENV_TIMEOUT = "MPCONF_MODULE", "MPCONF_START", "MPCONF_FLAGS", "MPCONF_TIMEOUT"
SYNC = ["Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier"]
NAMES = SYNC + ["Queue", "JoinableQueue", "Pipe", "Value", "Array", "RawValue", "RawArray"]
SHM_NAMES = ["SharedMemory", "ShareableList", "SharedMemoryManager"]

# test class -> names that must come from the module for the class to say anything about it
CLASSES = {
    "_TestLock": ["Lock", "RLock"],
    "_TestSemaphore": ["Semaphore", "BoundedSemaphore"],
    "_TestCondition": ["Condition"],
    "_TestEvent": ["Event"],
    "_TestBarrier": ["Barrier"],
    "_TestQueue": ["Queue", "JoinableQueue"],
    "_TestValue": ["Value"],
    "_TestArray": ["Array"],
    "_TestSharedCTypes": ["Value", "Array"],
    "_TestConnection": ["Pipe"],
    "_TestPoll": ["Pipe"],
    "_TestSharedMemory": ["SharedMemory"],
}
PRIVATE = {
    "_TestQueue.test_queue_feeder_on_queue_feeder_error": "subclasses multiprocessing.queues.Queue and its _on_queue_feeder_error hook",
    "_TestConnection.test_fd_transfer": "reduction.send_handle needs an AF_UNIX socket underneath",
    "_TestConnection.test_large_fd_transfer": "reduction.send_handle needs an AF_UNIX socket underneath",
    "_TestConnection.test_missing_fd_transfer": "reduction.recv_handle needs an AF_UNIX socket underneath",
    "_TestSharedMemory.test_shared_memory_recreate": "mocks shared_memory._make_filename",
    "_TestSharedMemory.test_shared_memory_cleaned_after_process_termination": "asserts on resource_tracker's own warning text",
    "_TestSharedMemory.test_shared_memory_SharedMemoryManager_reuses_resource_tracker": "resource_tracker detail",
    "_TestSharedMemory.test_shared_memory_SharedMemoryServer_ignores_sigint": "reaches for smm._process",
    "_TestSharedMemory.test_shared_memory_untracking": "resource_tracker detail (3.13)",
    "_TestSharedMemory.test_shared_memory_tracking": "resource_tracker detail (3.13)",
}
DIVERGENCE = {
    "_TestQueue.test_queue_feeder_donot_stop_onexc": "needs put() of an unpicklable object to succeed and the error to be swallowed in the background",
    "_TestEvent.test_repr": "wants '<Event at ... unset>'",
    "_TestSharedMemory.test_shared_memory_ShareableList_basics": "wants CPython's struct format string in .format",
}


# --------------------------------------------------------------------------- substitution
class Proxy(types.ModuleType):
    """A module look-alike: some names replaced, the rest taken from the real module."""
    def __init__(self, real, repl):
        super().__init__(real.__name__)
        self.__dict__["_real"], self.__dict__["_repl"] = real, repl

    def __getattr__(self, k):
        r = self.__dict__["_repl"]
        return r[k] if k in r else getattr(self.__dict__["_real"], k)


def find(mod, name):
    for holder in (mod, getattr(mod, "shared_memory", None), getattr(mod, "managers", None), getattr(mod, "sharedctypes", None)):
        if holder is not None and hasattr(holder, name):
            return getattr(holder, name)
    return None


class DropPrivate(ast.NodeTransformer):
    """Cuts `with unittest.mock.patch('multiprocessing...')` blocks out of a test (private details)."""
    def visit_With(self, node):
        if any("mock.patch" in ast.unparse(i.context_expr) for i in node.items):
            return ast.Pass()
        return self.generic_visit(node)


def rewrite(fn, glob, subst=()):
    src = textwrap.dedent(inspect.getsource(fn))
    for a, b in subst:
        assert a in src, (fn, a)
        src = src.replace(a, b)
    tree = ast.fix_missing_locations(DropPrivate().visit(ast.parse(src)))
    tree.body[0].decorator_list = []
    ns = {}
    exec(compile(tree, f"<{fn.__qualname__}, public part>", "exec"), glob, ns)
    return ns[fn.__name__]


def build(glob):
    """Creates the concrete test classes in `glob`; runs at import, also in spawned children."""
    import multiprocessing as mp
    import multiprocessing.managers, multiprocessing.sharedctypes, multiprocessing.queues
    from test import _test_multiprocessing as T
    modname = os.environ.get(ENV_MODULE, "multiprocessing")
    flags = os.environ.get(ENV_FLAGS, "").split(",")
    mod = importlib.import_module(modname)
    own = mod is mp
    from_mod = {n: find(mod, n) for n in NAMES + SHM_NAMES}
    fallback = [n for n, v in from_mod.items() if v is None]
    attrs = {}
    for n in NAMES:
        f = from_mod[n] if from_mod[n] is not None else getattr(mp, n)
        attrs[n] = staticmethod(f)
    if "process" in flags and hasattr(mod, "Process"):
        attrs["Process"] = mod.Process
    Mixin = type("ReplacementMixin", (T.ProcessesMixin,), attrs)
    extra = {}
    if not own:
        have = {n: v for n, v in from_mod.items() if v is not None}
        managers = Proxy(mp.managers, {k: have[k] for k in ("SharedMemoryManager",) if k in have})
        # Helper objects of the tests (e.g. _DummyList's Lock) stay stock: only what is under test is replaced.
        T.multiprocessing = Proxy(mp, {**{k: have[k] for k in ("Queue", "JoinableQueue") if k in have}, "managers": managers})
        if "Value" in have:
            T.Value = have["Value"]
        if hasattr(getattr(mod, "sharedctypes", None), "copy"):
            T.copy = mod.sharedctypes.copy
        if "SharedMemory" in have:
            T.shared_memory = Proxy(T.shared_memory, {**{k: have[k] for k in ("SharedMemory", "ShareableList") if k in have}, "_USE_POSIX": False})

        def check_invariant(self, cond):
            if all(hasattr(cond, a) for a in ("_sleeping_count", "_woken_count", "_wait_semaphore")):
                T._TestCondition.check_invariant(self, cond)

        def close_queue(queue):
            for m in ("close", "join_thread"):
                getattr(queue, m, lambda: None)()
        T.close_queue = close_queue
        extra["_TestCondition"] = {"check_invariant": check_invariant}
        q = {}
        if "Queue" in have:
            q["test_no_import_lock_contention"] = rewrite(T._TestQueue.test_no_import_lock_contention, T.__dict__,
                                                          [("import multiprocessing\n", f"import {modname} as multiprocessing\n")])
        extra["_TestQueue"] = q
        if "SharedMemory" in have:
            attach = rewrite(T._TestSharedMemory._attach_existing_shmem_then_write, T.__dict__)
            # Pickled by this module's name, so that a spawned child replaces the names, too, before it runs.
            attach.__module__, attach.__qualname__ = glob["__name__"], "ConfTestSharedMemory." + attach.__name__
            extra["_TestSharedMemory"] = {"test_shared_memory_basics": rewrite(T._TestSharedMemory.test_shared_memory_basics, T.__dict__),
                                          attach.__name__: staticmethod(attach)}
    out = {}
    for base, needs in CLASSES.items():
        if not hasattr(T, base) or (not own and not any(from_mod[n] is not None for n in needs)):
            continue
        name = "Conf" + base[1:]
        c = type(name, (getattr(T, base), Mixin, unittest.TestCase), dict(extra.get(base, {}), __module__=glob["__name__"], __qualname__=name))
        glob[name] = out[base] = c
    if "extra" in flags:
        build_extra(glob, out, T)
    return mod, out, fallback


def build_extra(glob, out, T):
    """Our own cross-process and crash tests, on the same replaced names.  Not from CPython."""
    Mixin = next(c for c in out["_TestLock" if "_TestLock" in out else next(iter(out))].__mro__ if c.__name__ == "ReplacementMixin")
    import queue as pyqueue

    def spawn(self, f, *args):
        p = self.Process(target=f, args=args)
        p.daemon = True
        p.start()
        return p

    class Extra:
        @classmethod
        def _incr(cls, lock, v, n):
            for _ in range(n):
                with lock:
                    v.value += 1

        def check_exclusion(self, lock):
            v = T.multiprocessing.RawValue("i", 0)
            ps = [spawn(self, self._incr, lock, v, 3000) for _ in range(4)]
            [p.join() for p in ps]
            self.assertEqual(v.value, 12000)

        def test_lock_excludes(self):
            self.check_exclusion(self.Lock())

        def test_rlock_excludes(self):
            self.check_exclusion(self.RLock())

        def test_semaphore_as_lock_excludes(self):
            self.check_exclusion(self.Semaphore(1))

        @classmethod
        def _inside(cls, sem, lock, now, peak, n):
            for _ in range(n):
                with sem:
                    with lock:
                        now.value += 1
                        peak.value = max(peak.value, now.value)
                    # The first ones stay until there are as many as may be, however slowly the others start.
                    end = time.monotonic() + 20
                    while peak.value < 3 and time.monotonic() < end:
                        time.sleep(0.001)
                    time.sleep(0.001)
                    with lock:
                        now.value -= 1

        def test_semaphore_limit(self):
            sem, lock = self.Semaphore(3), T.multiprocessing.Lock()
            now, peak = T.multiprocessing.RawValue("i", 0), T.multiprocessing.RawValue("i", 0)
            ps = [spawn(self, self._inside, sem, lock, now, peak, 50) for _ in range(6)]
            [p.join() for p in ps]
            self.assertEqual((now.value, peak.value), (0, 3))

        @classmethod
        def _release(cls, lock, out):
            try:
                lock.release()
                out.value = 1
            except (AssertionError, RuntimeError, ValueError):
                out.value = 2

        def test_rlock_other_process_cannot_release(self):
            lock, out = self.RLock(), T.multiprocessing.RawValue("i", 0)
            lock.acquire()
            spawn(self, self._release, lock, out).join()
            self.assertEqual(out.value, 2)

        def test_lock_other_process_may_release(self):
            lock, out = self.Lock(), T.multiprocessing.RawValue("i", 0)
            lock.acquire()
            spawn(self, self._release, lock, out).join()
            self.assertEqual((out.value, lock.acquire(timeout=1)), (1, True))

        def test_timeouts_are_kept(self):
            lock = self.Lock()
            lock.acquire()
            for o in (lock.acquire, self.Semaphore(0).acquire):
                t = time.monotonic()
                self.assertIs(o(timeout=0.3), False)
                self.assertTrue(0.28 < time.monotonic() - t < 0.6)
                t = time.monotonic()
                self.assertIs(o(timeout=-1), False)
                self.assertTrue(time.monotonic() - t < 0.1)

        @classmethod
        def _wait(cls, ev, sem):
            if ev.wait(20) is True:
                sem.release()

        def test_event_wakes_all(self):
            ev, sem = self.Event(), T.multiprocessing.Semaphore(0)
            ps = [spawn(self, self._wait, ev, sem) for _ in range(5)]
            time.sleep(0.3)
            ev.set()
            self.assertTrue(all(sem.acquire(timeout=10) for _ in range(5)))
            [p.join() for p in ps]

        @classmethod
        def _produce(cls, q, k, n):
            for i in range(n):
                q.put((k, i, b"x" * (i % 7 * 1000)))

        @classmethod
        def _consume(cls, q, back):
            while True:
                x = q.get()
                back.put(x)
                if x is None:
                    return

        def test_queue_many_to_many(self):
            q, back = self.Queue(50), T.multiprocessing.Manager().Queue()
            prod = [spawn(self, self._produce, q, k, 300) for k in range(3)]
            cons = [spawn(self, self._consume, q, back) for _ in range(2)]
            [p.join() for p in prod]
            [q.put(None) for _ in cons]
            got, ends = [], 0
            while ends < 2:
                x = back.get(timeout=30)
                ends += x is None
                if x is not None:
                    got.append(x)
            self.assertEqual(sorted(x[:2] for x in got), [(k, i) for k in range(3) for i in range(300)])
            self.assertTrue(all(len(x[2]) == x[1] % 7 * 1000 for x in got))
            [p.join() for p in cons]

        def test_queue_large_object(self):
            q = self.Queue()
            p = spawn(self, self._put_big, q)
            x = q.get(timeout=30)
            self.assertEqual((len(x), x[:3], x[-3:]), (20_000_000, b"abc", b"xyz"))
            p.join()

        @classmethod
        def _put_big(cls, q):
            q.put(b"abc" + b"." * 19_999_994 + b"xyz")

    class Crash:
        def kill(self, p):
            os.kill(p.pid, signal.SIGKILL)
            p.join()

        def soon(self, f, limit=10):
            """f() has to come back (with any result or exception) within the limit."""
            import threading
            r = []

            def g():
                try:
                    r.append(("ok", f()))
                except Exception as e:
                    r.append(("raised", e))
            t = threading.Thread(target=g, daemon=True)
            t.start()
            t.join(limit)
            self.assertTrue(r, "still blocked")
            return r[0]

        @classmethod
        def _hold(cls, o, ready):
            o.acquire()
            ready.release()
            time.sleep(60)

        def check_holder(self, o):
            """After the holder died the next one must get in, or be told (an exception); not wait for ever."""
            ready = T.multiprocessing.Semaphore(0)
            p = spawn(self, self._hold, o, ready)
            ready.acquire()
            self.kill(p)
            how, what = self.soon(lambda: o.acquire(timeout=3))
            self.assertTrue(how == "raised" or what is True, "acquire(timeout=3) -> False: locked for ever")

        def test_lock_holder(self):
            self.check_holder(self.Lock())

        def test_rlock_holder(self):
            self.check_holder(self.RLock())

        def test_value_lock_holder(self):
            self.check_holder(self.Value("i", 0).get_lock())

        @classmethod
        def _event(cls, ev, ready):
            ready.release()
            ev.wait()

        def test_event_waiter(self):
            ev, ready = self.Event(), T.multiprocessing.Semaphore(0)
            p = spawn(self, self._event, ev, ready)
            ready.acquire()
            time.sleep(0.5)
            self.kill(p)
            self.soon(ev.set)
            self.assertTrue(ev.is_set())

        @classmethod
        def _cond(cls, c, ready):
            with c:
                ready.release()
                c.wait()

        def test_condition_waiter(self):
            c, ready = self.Condition(), T.multiprocessing.Semaphore(0)
            p = spawn(self, self._cond, c, ready)
            ready.acquire()
            time.sleep(0.5)
            self.kill(p)

            def f():
                with c:
                    c.notify_all()
            self.soon(f)

        @classmethod
        def _get(cls, q, ready):
            ready.release()
            q.get()

        def test_queue_reader(self):
            q, ready = self.Queue(), T.multiprocessing.Semaphore(0)
            p = spawn(self, self._get, q, ready)
            ready.acquire()
            time.sleep(0.5)
            self.kill(p)
            q.put(7)
            self.assertEqual(self.soon(lambda: q.get(timeout=3)), ("ok", 7))

        @classmethod
        def _put(cls, q, ready):
            ready.release()
            q.put(b"x" * 100_000_000)
            time.sleep(60)

        def test_queue_writer(self):
            q, ready = self.Queue(), T.multiprocessing.Semaphore(0)
            p = spawn(self, self._put, q, ready)
            ready.acquire()
            time.sleep(0.7)
            self.kill(p)

            def rest():
                try:
                    while True:
                        q.get(timeout=1)
                except pyqueue.Empty:
                    pass
            self.soon(rest)
            q.put(7)
            self.assertEqual(self.soon(lambda: q.get(timeout=3)), ("ok", 7))

        @classmethod
        def _barrier(cls, b, ready):
            ready.release()
            b.wait()

        def test_barrier_party(self):
            b, ready = self.Barrier(2), T.multiprocessing.Semaphore(0)
            p = spawn(self, self._barrier, b, ready)
            ready.acquire()
            time.sleep(0.5)
            self.kill(p)
            self.soon(lambda: b.wait(timeout=2))
            self.soon(b.abort)

    for n, c in (("ConfExtra", Extra), ("ConfCrash", Crash)):
        k = type(n, (c, T.BaseTestCase, Mixin, unittest.TestCase), dict(__module__=glob["__name__"], __qualname__=n))
        glob[n] = out[n] = k


def test_ids(classes):
    ld = unittest.TestLoader()
    return [(base, m) for base, c in classes.items() for m in ld.getTestCaseNames(c)]


# --------------------------------------------------------------------------- one test in this interpreter
def run_one(base, method):
    import multiprocessing as mp
    from test import support
    limit = float(os.environ.get(ENV_TIMEOUT, "60"))
    faulthandler.dump_traceback_later(limit * 0.9)         # where it hangs, should it hang
    me = importlib.import_module("cpython_conformance")
    cls = me.BUILT[1][base]
    mp.set_forkserver_preload(["cpython_conformance"])
    mp.set_start_method(os.environ.get(ENV_START, "fork"), force=True)
    support.use_resources = None

    class Result(unittest.TestResult):                     # shown at once: a cleanup may hang after a failure
        def addError(self, test, err):
            super().addError(test, err)
            print(self.errors[-1][1], flush=True)

        def addFailure(self, test, err):
            super().addFailure(test, err)
            print(self.failures[-1][1], flush=True)
    res = Result()
    t = time.monotonic()
    unittest.TestSuite([cls(method)]).run(res)
    dt = time.monotonic() - t
    bad = res.failures + res.errors
    status = "fail" if res.failures else "error" if res.errors else "skip" if res.skipped else "pass"
    msg = bad[0][1] if bad else res.skipped[0][1] if res.skipped else ""
    faulthandler.cancel_dump_traceback_later()
    print("@@RESULT" + json.dumps(dict(status=status, seconds=round(dt, 2), message=msg[-1500:])), flush=True)


def run_isolated(base, method, a):
    env = dict(os.environ)
    cmd = [sys.executable, "-W", "ignore", os.path.abspath(__file__), "--one", f"{base}.{method}"]
    t = time.monotonic()
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, start_new_session=True)
    try:
        out, _ = p.communicate(timeout=a.timeout)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)          # our own session only: the test and its children
        out, _ = p.communicate()
        first = re.search(r"(?s)^Traceback.*?^\w[\w.]*(?:Error|Exception|Full|Empty).*?$", out, re.M)
        return dict(status="timeout", seconds=round(time.monotonic() - t, 2),
                    message=out[-1500:] + ("\nfirst failure: " + first.group(0).splitlines()[-1] if first else ""))
    m = re.search(r"@@RESULT(.*)", out)
    if m:
        r = json.loads(m.group(1))
        return r
    return dict(status="crash", seconds=round(time.monotonic() - t, 2), message=f"exit {p.returncode}\n{out[-1500:]}")


def shm_names():
    try:
        return set(os.listdir("/dev/shm"))
    except OSError:
        return set()


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--module", default="multiprocessing")
    ap.add_argument("--start-method", default="fork", choices=["fork", "spawn", "forkserver"])
    ap.add_argument("-k", action="append", default=[], help="only tests whose Class.test name contains this")
    ap.add_argument("--timeout", type=float, default=60)
    ap.add_argument("--extra", action="store_true", help="also our cross-process and crash tests")
    ap.add_argument("--all", action="store_true", help="also run the tests of private details")
    ap.add_argument("--strict", action="store_true")
    ap.add_argument("--use-module-process", action="store_true")
    ap.add_argument("--path", action="append", default=[], help="put this folder on sys.path (of the children too)")
    ap.add_argument("--json", default="")
    ap.add_argument("--counts", action="store_true")
    ap.add_argument("-v", action="store_true", help="print failures in full")
    ap.add_argument("--one", help=argparse.SUPPRESS)
    a = ap.parse_args(argv)
    if a.one:
        return run_one(*a.one.split("."))
    here = os.path.dirname(os.path.abspath(__file__))
    pp = [here] + [os.path.abspath(p) for p in a.path]
    os.environ["PYTHONPATH"] = os.pathsep.join(pp + [os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    sys.path[:0] = [p for p in pp if p not in sys.path]
    os.environ[ENV_MODULE], os.environ[ENV_START] = a.module, a.start_method
    os.environ[ENV_TIMEOUT] = str(a.timeout)
    os.environ[ENV_FLAGS] = ",".join(["process"] * a.use_module_process + ["extra"] * a.extra)
    me = importlib.import_module("cpython_conformance")
    if me.BUILT is None:
        me.BUILT = me.build(me.__dict__)
    mod, classes, fallback = me.BUILT
    ids = test_ids(classes)
    if a.counts:
        n = {}
        for b, m in ids:
            n[b] = n.get(b, 0) + 1
        print(json.dumps(dict(python=sys.version.split()[0], total=len(ids), counts=n)))
        return 0
    own = a.module == "multiprocessing"
    print(f"module {a.module} ({getattr(mod, '__file__', '?')}), python {sys.version.split()[0]}, start method {a.start_method}, {len(ids)} tests")
    if fallback:
        print("not in the module, taken from multiprocessing (or its tests left out):", ", ".join(fallback))
    rows, before = [], shm_names()
    for base, m in ids:
        key = f"{base}.{m}"
        if a.k and not any(k.lower() in key.lower() for k in a.k):
            continue
        kind = "ours" if base == "ConfExtra" else "crash" if base == "ConfCrash" else "private" if key in PRIVATE else "divergence" if key in DIVERGENCE else ""
        if kind == "private" and not own and not a.all:
            r = dict(status="left out", seconds=0, message=PRIVATE[key])
        else:
            r = run_isolated(base, m, a)
        rows.append(dict(r, test=key, kind=kind))
        print(f"  {r['status']:9}{r['seconds']:7.2f} s  {key}{'  [' + kind + ']' if kind else ''}", flush=True)
        if r["status"] in ("fail", "error", "timeout", "crash"):
            lines = [x for x in r["message"].splitlines() if x.strip()]
            print(textwrap.indent("\n".join(lines) if a.v else "\n".join(lines[-2:]), "            "))
    summary = {}
    for r in rows:
        s = summary.setdefault(r["test"].split(".")[0], {})
        s[r["status"]] = s.get(r["status"], 0) + 1
    print("\nper class")
    for b, s in summary.items():
        print(f"  {b:22}{sum(s.values()):4}   " + ", ".join(f"{n} {k}" for k, n in sorted(s.items())))
    bad = [r for r in rows if r["status"] in ("fail", "error", "timeout", "crash")]
    hard = [r for r in bad if a.strict or (r["kind"] != "crash" if own else r["kind"] != "divergence")]
    left = sorted(shm_names() - before)
    if left:
        print("names in /dev/shm that were not there before (other programs may have made them):", left[:20])
    tot = {}
    for r in rows:
        tot[r["status"]] = tot.get(r["status"], 0) + 1
    print("total", len(rows), tot, "-> ", "CONFORMS" if not hard else f"{len(hard)} hard failures")
    if a.json:
        with open(a.json, "w") as f:
            json.dump(dict(module=a.module, python=sys.version, start_method=a.start_method, fallback=fallback, results=rows, left_in_dev_shm=left), f, indent=1)
    return 1 if hard else 0


# `python cpython_conformance.py` runs as __main__ and imports itself under its real name, so that the
# test classes have an importable module for spawn and forkserver children.
BUILT = None
if __name__ == "cpython_conformance" and ENV_MODULE in os.environ:
    BUILT = build(globals())
if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
