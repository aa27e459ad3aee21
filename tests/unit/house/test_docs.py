"""The pages that are made from the code say what the code says now."""

import subprocess
import sys


def test_the_made_pages_are_current_and_their_links_lead_somewhere(checkout):
    script = checkout / "tools" / "docs.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
