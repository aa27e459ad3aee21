"""Take the picture of the example report that the README shows.

    make demo
    python tools/picture.py demo/report/report.html docs/pictures/report.png

Needs the packages of requirements/test.txt, a Chromium and its driver.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

SECTION = "outcome-cd4"
WIDTH, HEIGHT = 1180, 770
NAMES = {"browser": ("chromium", "chromium-browser", "google-chrome"), "driver": ("chromedriver",)}


def picture(report: Path, target: Path) -> None:
    """Photograph the section of the primary outcome as a reader sees it on a light screen."""
    browser = open_browser()
    try:
        browser.get(report.resolve().as_uri())
        browser.execute_script(f"document.getElementById('{SECTION}').scrollIntoView()")
        browser.save_screenshot(str(target))
    finally:
        browser.quit()


def open_browser() -> Chrome:
    """A headless Chromium in light mode."""
    options = ChromeOptions()
    options.binary_location = found("browser")
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}"):
        options.add_argument(argument)
    browser = Chrome(options=options, service=Service(found("driver")))
    settings = {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", settings)
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return browser


def found(what: str) -> str:
    """Where the browser or its driver is."""
    for name in NAMES[what]:
        if path := shutil.which(name):
            return path
    sys.exit(f"No {what} found; looked for {', '.join(NAMES[what])}.")


if __name__ == "__main__":
    picture(Path(sys.argv[1]), Path(sys.argv[2]))
