"""The command line as a person meets it."""

import pytest

from equipoise.cli import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """`run("verify", folder)`: its exit code, what it said, and what it said on standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run
