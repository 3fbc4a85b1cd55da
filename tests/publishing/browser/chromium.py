"""A headless Chromium that tests can look into: its own protocol over two pipes, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers; the pages are our own
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
# Chromium talks over the files 3 and 4, whatever numbers the pipes have here
LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for place, end in enumerate(ends, start=3):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
SECONDS = 60


def find_chromium() -> str | None:
    """Return the browser's command, or None where it is not installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One browser process and its only tab."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader, self._writer = reader, writer
        self._session, self._left, self._number = "", b"", 0
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come in between are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._writer, content) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        parts = [self._left]
        while b"\0" not in parts[-1]:
            if not select.select([self._reader], [], [], SECONDS)[0]:
                raise RuntimeError(f"the browser said nothing for {SECONDS} seconds")
            parts.append(os.read(self._reader, 1 << 20))
            if not parts[-1]:
                raise RuntimeError("the browser went away")
        message, _, self._left = b"".join(parts).partition(b"\0")
        return json.loads(message)

    def open(self, path: Path, *, script: bool = True) -> None:
        """Open a file and wait until it is loaded."""
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.events.clear()
        loader = self.send("Page.navigate", url=path.resolve().as_uri())["loaderId"]
        self.send("Page.setLifecycleEventsEnabled", enabled=True)
        while not any(
            event.get("method") == "Page.lifecycleEvent"
            and event["params"]["loaderId"] == loader
            and event["params"]["name"] == "load"
            for event in self.events
        ):
            self.events.append(self._receive())

    def look(self, *, scheme: str = "light", media: str = "") -> None:
        """Show pages in light or dark, on screen or as printed."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page and return its value."""
        answer = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """Press a key and let it go."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "Backspace": 8}
        typed = {"Enter": "\r", "Tab": ""}.get(key, text)
        event = {"key": key, "text": typed, "windowsVirtualKeyCode": codes.get(key, 0)}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, **event)

    def type(self, text: str) -> None:
        """Type a text."""
        for letter in text:
            self.press(letter, letter)

    def shoot(self, path: Path, *, width: int = 1100) -> None:
        """Save a picture of the whole page."""
        height = self.run("document.documentElement.scrollHeight")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        answer = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        self.send("Emulation.clearDeviceMetricsOverride")
        path.write_bytes(base64.b64decode(answer["data"]))

    @property
    def complaints(self) -> list[str]:
        """What the console says of the page: errors, warnings, refused content."""
        told = []
        for event in self.events:
            method, about = event.get("method"), event.get("params", {})
            if method == "Log.entryAdded" and about["entry"]["level"] in {"warning", "error"}:
                told.append(about["entry"]["text"])
            elif method == "Runtime.exceptionThrown":
                told.append(about["exceptionDetails"]["text"])
            elif method == "Runtime.consoleAPICalled" and about["type"] in {"warning", "error"}:
                told.append(str(about["args"]))
            elif method == "Audits.issueAdded":
                told.append(about["issue"]["code"])
        return told

    @property
    def requests(self) -> list[str]:
        """Addresses the page asked for, what it carries itself left out."""
        urls = [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith("data:")]


@contextmanager
def run_chromium(command: str, profile: Path) -> Iterator[Browser]:
    """Run a browser for as long as the context lasts; nothing of it is left."""
    to_browser, write = os.pipe()
    read, from_browser = os.pipe()

    ends = (to_browser, from_browser)
    browse = [command, *FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *map(str, ends), *browse],
        pass_fds=ends,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        browser = Browser(read, write)
        yield browser
        with suppress(RuntimeError, OSError):
            browser.send("Browser.close")
    finally:
        os.close(read)
        os.close(write)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
