"""Starting is quick because little is imported: counted in modules, which does not depend on the machine."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "argparse", "asyncio", "cloudpickle", "dataclasses", "email", "inspect", "json", "logging", "numpy", "pandas",
    "pickle", "pyarrow", "pyspark", "runpy", "socket", "subprocess", "tempfile", "traceback", "urllib",
}  # fmt: skip


def imported(statements: str) -> set[str]:
    """The modules that `statements` bring in, beyond those of a bare interpreter (`-S`: no hooks of site-packages)."""
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
before = set(sys.modules)
{statements}
after = set(sys.modules) - before
import json
print(json.dumps(sorted(after)))
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_importing_millstream_imports_next_to_nothing() -> None:
    modules = imported("import millstream")
    assert {name for name in modules if name.startswith("millstream")} == {"millstream", "millstream._version"}
    assert not modules & HEAVY


def test_submit_and_the_decks_imports_are_light() -> None:
    modules = imported(
        "import millstream.cli, millstream.submit.launch, millstream.submit.served\n"
        "from millstream.submit.pyspark_names import provide_pyspark\n"
        "provide_pyspark()\n"
        "from pyspark import SparkContext, StorageLevel\n"
        "from pyspark.streaming import StreamingContext\n"
        "from pyspark.streaming.kinesis import KinesisUtils, InitialPositionInStream"
    )
    heavy = {name.partition(".")[0] for name in modules if not name.startswith("pyspark")} & HEAVY
    assert not heavy
    foreign = {name for name in modules if name.partition(".")[0] not in ("millstream", "pyspark")}
    print(len(foreign), sorted(foreign))
    assert len(foreign) <= 60


def test_a_worker_of_the_kcl_brings_what_is_large_only_if_it_is_asked_for() -> None:
    modules = imported("from millstream.kcl import RecordProcessor, Settings, Worker")
    assert not modules & (HEAVY | {"datetime", "ssl"})
    assert "asyncio" in imported("from millstream.kcl import AsyncCheckpointer, AsyncWorker")
