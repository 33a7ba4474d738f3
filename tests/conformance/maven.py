"""Java programs: one source file each, run with the jars that the `pom.xml` beside it names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from outcome import NotRun, Outcome, command, steps
from service import WORK, environment, local


def jars(folder: Path) -> Path:
    """The folder of the jars, fetched by Maven into its repository once and copied from there."""
    for tool in "java", "mvn":
        if not shutil.which(tool):
            raise NotRun(f"{tool} is not installed (Java 17 and Maven are needed)")
    target = WORK / folder.name
    if not (target / ".done").exists():
        flags = ["-B", "-q", f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
        command(["mvn", *flags, "dependency:copy-dependencies"], folder, dict(os.environ), 900)
        (target / ".done").touch()
    return target


def program(source: Path, classpath: str, *arguments: str) -> list[str]:
    """The command that compiles and runs a source file, with a small JVM."""
    return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", classpath, str(source), *arguments]


def sdk_round(folder: Path) -> Outcome:
    """Runs the `Round.java` of a folder against a service of its own."""
    classpath = f"{jars(folder)}/*"
    with local() as endpoint:
        settings = environment(AWS_ENDPOINT_URL=endpoint)
        return steps(folder.name, program(folder / "Round.java", classpath), folder, settings, 180)
