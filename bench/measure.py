"""Runs a command and prints, as one line of JSON, what it took and what it said on its last line,
which is None where that line is not JSON.

CPU seconds are of the command and of all processes it waited for; peak memory is that of the
largest single process among them (ru_maxrss). This wrapper is small, which matters: a child
inherits as its floor the memory of the process that started it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

BYTES_PER_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main():
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(sys.argv[1:], stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            err.seek(0)
            sys.stderr.buffer.write(err.read())
            sys.exit(f"exit code {code}: {' '.join(sys.argv[1:])}")
        out.seek(0)
        said = last_line_of(out.read().decode())
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpuSeconds": usage.ru_utime + usage.ru_stime,
                "peakBytes": usage.ru_maxrss * BYTES_PER_RSS_UNIT,
                "said": said,
            }
        )
    )


def last_line_of(text):
    try:
        return json.loads((text.strip().splitlines() or [""])[-1])
    except ValueError:
        return None


main()
