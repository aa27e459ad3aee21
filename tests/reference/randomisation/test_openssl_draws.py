"""The draws rest on digests that OpenSSL gives too.

Key 00 01 ... 1f, trial DEMO, no stratum, places 1 to 20, attempt 0; labels alloc/1 and block/1.
OpenSSL 3.0.19: openssl dgst -sha256 -mac HMAC. Script: draws.sh, beside this file; output: draws.txt. Exact: bytes.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from equipoise.randomisation import Purpose, Secret, draw

HERE = Path(__file__).parent
STORED = (HERE / "draws.txt").read_text(encoding="ascii")
DIGESTS = [line.split() for line in STORED.splitlines() if not line.startswith("#")]


def first_eight(label):
    return [int(digest[:16], 16) for name, _, digest in DIGESTS if name == label]


@pytest.mark.parametrize("purpose", Purpose)
def test_draws_are_the_first_eight_bytes(purpose):
    secret = Secret(bytes(range(32)))
    values = first_eight(purpose.value.decode())
    assert len(values) == 20
    for below in (2, 3, 20, 2**64):
        drawn = [
            draw(secret, trial="DEMO", stratum="", number=place, below=below, purpose=purpose) for place in range(1, 21)
        ]
        assert drawn == [value % below for value in values]


def test_the_published_vectors_follow_from_them():
    assert "".join("AB"[value % 2] for value in first_eight("alloc/1")) == "BAAABBABABABBBAABAAA"
    assert "".join(str(value % 3) for value in first_eight("alloc/1")[:10]) == "0101122001"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on the PATH (Debian: openssl)")
@pytest.mark.skipif(shutil.which("sh") is None, reason="sh is not on the PATH")
def test_openssl_here_gives_the_stored_digests():
    done = subprocess.run(["sh", HERE / "draws.sh"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == STORED.splitlines()[1:]
