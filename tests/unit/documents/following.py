"""Do what a document shows, and compare what comes of it with what the document says comes of it.

A `console` block is typed into a shell: `$ ` begins a command, `> ` goes on with it, the rest is its output, in which
`…` stands for what differs from one machine or version to the next; alone on a line it stands for any lines. A
`python` block that begins with `>>>` is typed into Python, all of a page into one session. The `yaml` blocks of a page,
put together, are the file protocol.yaml.
"""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

YAML = re.compile(r"^```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = "…"
END = "\x1e"
BLOCK = re.compile(r"^```(?P<kind>console|python(?=\n>>>))\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Command:
    """A command of a document, with what the document says that it prints."""

    line: int
    text: str
    prints: list[str] = field(default_factory=list)


def blocks_of(source):
    """Kind, first line and text of each block that can be followed."""
    lines_before = (source.count("\n", 0, found.start()) for found in BLOCK.finditer(source))
    return [
        (found["kind"], line + 2, found["text"])
        for found, line in zip(BLOCK.finditer(source), lines_before, strict=True)
    ]


def commands_of(blocks):
    """The commands of `console` blocks."""
    found = []
    for _, first, text in blocks:
        for number, line in enumerate(text.splitlines(), first):
            if line.startswith("$ "):
                found.append(Command(number, line[2:]))
            elif line.startswith(">") and not found[-1].prints:
                found[-1].text += "\n" + line[2:]
            else:
                found[-1].prints.append(line)
    return found


def outputs_of(commands, folder, variables):
    """What each command printed, one after the other in one shell; errors stand among the rest."""
    script = "\n".join(f"{{ {each.text}\n}} 2>&1; was=$?; printf '{END}'; (exit $was)" for each in commands)
    places = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent), os.environ["PATH"])
    shell = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": os.pathsep.join(places), "LC_ALL": "C.UTF-8"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shell.stderr == ""
    return [printed.splitlines() for printed in shell.stdout.split(END)[:-1]]


def matches(shown, printed):
    """Whether the lines printed are those shown."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == ELSEWHERE else ".*".join(map(re.escape, line.split(ELSEWHERE))) + r"\n"
        for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def shell_differences(blocks, folder, variables):
    """Each command that prints something else than is shown, with both."""
    commands = commands_of(blocks)
    outputs = outputs_of(commands, folder, variables)
    assert len(outputs) == len(commands), f"the shell ended after {outputs[-1:]}"
    return [
        "\n".join([f"line {each.line}: $ {each.text}", "shows:", *each.prints, "prints:", *printed])
        for each, printed in zip(commands, outputs, strict=True)
        if not matches(each.prints, printed)
    ]


def python_differences(blocks, folder, session):
    """What Python answers otherwise than is shown, in doctest's words."""
    said = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    with contextlib.chdir(folder):
        for _, first, text in blocks:
            test = doctest.DocTestParser().get_doctest(text, session, f"line {first}", None, first - 1)
            runner.run(test, out=said.write, clear_globs=False)
            session.update(test.globs)
    return [said.getvalue()] if said.getvalue() else []


def differences(page, folder, variables):
    """What a page shows otherwise than it is; empty when all is as shown."""
    source = page.read_text(encoding="utf-8")
    if protocol := "".join(found["text"] for found in YAML.finditer(source)):
        (folder / "protocol.yaml").write_text(protocol, encoding="utf-8")
    blocks = blocks_of(source)
    assert blocks, f"{page.name} shows nothing to do"
    session, found = {}, []
    for kind, some in groupby(blocks, key=lambda block: block[0]):
        if kind == "console":
            found += shell_differences(list(some), folder, variables)
        else:
            found += python_differences(list(some), folder, session)
    return "\n\n".join(found)
