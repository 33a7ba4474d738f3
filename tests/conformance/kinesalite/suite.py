"""kinesalite's own mocha tests, aimed at `millstream local`.

The tests are not in kinesalite's npm package, and nothing of them is kept here: they are taken from a checkout of its
repository, which `KINESALITE` names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from outcome import NotRun, Outcome, command
from service import WORK, environment

HERE = Path(__file__).parent


def run() -> Outcome:
    checkout = os.environ.get("KINESALITE")
    if not checkout:
        raise NotRun("set KINESALITE to a checkout of the repository mhart/kinesalite, tag v3.3.3")
    if not shutil.which("npm"):
        raise NotRun("npm is not installed")
    work = prepare(Path(checkout))
    outcome = Outcome()
    seen: set[str] = set()
    excepted = exceptions()
    files = [file.name for file in (work / "test").glob("*.js") if file.name != "helpers.js"]
    # One of them waits for an iterator to expire, which takes five minutes; the others are done before.
    with ThreadPoolExecutor(3) as pool:
        for part in pool.map(
            lambda name: one_file(work, name, excepted, seen), sorted(files, key="getRecords.js".__ne__)
        ):
            outcome += part
    gone = sorted(set(excepted) - seen)
    outcome.failures += [f"exceptions.txt names a test that passes or is not there: {title}" for title in gone]
    return outcome


def prepare(checkout: Path) -> Path:
    """A folder in which the tests find, in place of kinesalite, the stand-in that starts this service."""
    work = WORK / "kinesalite"
    work.mkdir(parents=True, exist_ok=True)
    for name in "package.json", "package-lock.json":
        shutil.copy(HERE / name, work / name)
    command(["npm", "ci", "--omit=optional", "--no-audit", "--no-fund"], work, dict(os.environ), 600)
    shutil.copy(HERE / "server.js", work / "index.js")
    (work / "db").mkdir(exist_ok=True)
    (work / "db" / "index.js").write_text("module.exports = require('kinesalite/db')\n")
    shutil.rmtree(work / "test", ignore_errors=True)
    shutil.copytree(checkout / "test", work / "test")
    # They begin by asking for more shards than any account may have. Quotas are off here, and so would this be granted.
    helpers = work / "test" / "helpers.js"
    helpers.write_text(helpers.read_text().replace("ShardCount: 100000}", "ShardCount: 0}"))
    return work


def exceptions() -> dict[str, str]:
    """Why a test does not apply, by its full title. Lines of `title => reason`."""
    lines = (HERE / "exceptions.txt").read_text().splitlines()
    pairs = (line.split(" => ", 1) for line in lines if line and not line.startswith("#"))
    return {title: reason for title, reason in pairs}


def one_file(work: Path, name: str, excepted: dict[str, str], seen: set[str]) -> Outcome:
    mocha = [str(work / "node_modules/.bin/mocha"), "--exit", "--require", "should", "--reporter", "json"]
    done = subprocess.run(
        [*mocha, "-t", "20s", f"test/{name}"],
        cwd=work,
        env=environment(),
        timeout=600,
        text=True,
        capture_output=True,
    )
    start = done.stdout.find("{")
    if start < 0:
        return Outcome(failures=[f"{name}: mocha printed no result: {done.stderr[-2000:]}"])
    result = json.loads(done.stdout[start:])
    outcome = Outcome(passed=len(result["passes"]))
    for test in result["failures"]:
        title = test["fullTitle"]
        if title.startswith('"after all" hook'):
            # Their tidying up does not expect streams that are still DELETING.
            continue
        if title in excepted:
            seen.add(title)
            outcome.excepted += 1
        else:
            outcome.failures.append(f"{title}: {test['err'].get('message', '')[:1500]}")
    return outcome
