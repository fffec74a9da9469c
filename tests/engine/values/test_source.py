"""Source code is read by many threads at once: each call that is the first of its task does so."""

import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kapelle.engine.values.source import definitions

THREADS = 8


def test_threads_may_read_source_at_once(tmp_path: Path) -> None:
    lines = "\n".join(f"    x = [{number}, (lambda y: (y, [y, {{y: {number}}}]))]" for number in range(100))
    files = [tmp_path / f"flows{number}.py" for number in range(THREADS * 4)]
    for number, file in enumerate(files):
        file.write_text(f"def daily{number}():\n{lines}\n")
    together = threading.Barrier(THREADS, timeout=20)

    def read(first: int) -> int:
        together.wait()
        chosen = range(first, len(files), THREADS)
        return sum(len(definitions(str(files[number]), f"daily{number}", 1)) for number in chosen)

    pause, collected = sys.getswitchinterval(), lambda phase, info: None
    sys.setswitchinterval(1e-6)
    gc.callbacks.append(collected)  # Python code inside a collection: there threads take turns
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(read, range(THREADS))) == len(files)
    finally:
        gc.callbacks.remove(collected)
        sys.setswitchinterval(pause)
