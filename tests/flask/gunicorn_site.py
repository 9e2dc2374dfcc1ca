"""The site under gunicorn, and what it answers."""

import atexit
import functools
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import NamedTuple

from sample_database import ROOT, SampleDatabase

TOKEN = "correct horse battery staple"
LONGEST_WAIT = 20  # seconds


def wait_for(what, condition):
    """Asks again and again, until it is so."""
    end = time.monotonic() + LONGEST_WAIT
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {LONGEST_WAIT} s in vain for {what}")
        time.sleep(0.01)
    return answer


def at_once(calls):
    """Makes the calls side by side; returns their outcomes in order."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    def tables(self):
        """The cells' texts, of each row of each table."""
        reader = TableReader()
        reader.feed(self.text)
        return reader.tables


class TableReader(HTMLParser):
    """Collects the texts of cells."""

    def __init__(self):
        super().__init__()
        self.tables = []
        self._in_cell = False

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data):
        if self._in_cell:
            self.tables[-1][-1][-1] += data


class Site:
    """A gunicorn with the example, on a port of its own."""

    def __init__(self, url, **environment):
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "app:app"],
            cwd=ROOT / "examples/flask",
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "DATABASE_URL": url, **environment},
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        # Where a test fails before it stops its site.
        atexit.register(self._process.kill)
        listening = wait_for("gunicorn", lambda: re.search(r"Listening at: http://127.0.0.1:(\d+)", self.log()))
        self._port = int(listening[1])
        # The socket listens before the worker has loaded the application; the request waits for it.
        assert self.get("/healthz").status == 200, self.log()

    def log(self):
        """What gunicorn and the application have written so far."""
        assert self._process.poll() is None, "gunicorn has ended"
        return os.pread(self._log.fileno(), 1 << 24, 0).decode()

    def stop(self):
        """Ends it; returns the log."""
        log = self.log()
        self._process.terminate()
        self._process.wait(LONGEST_WAIT)
        self._log.close()
        return log

    def get(self, path):
        """Asks for a page."""
        return self._request("GET", path)

    def post(self, page, time_range="short_term", date="2031-05-01", token=TOKEN):
        """Sends a snapshot: a page's object, or whatever bytes."""
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._request("POST", f"/api/snapshots?time_range={time_range}&date={date}", body, headers)

    def _request(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LONGEST_WAIT)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()


@functools.cache
def database_of(module):
    """The database that the classes of a module share."""
    return SampleDatabase()


class SiteTestCase(unittest.TestCase):
    """A site for each class, and a database for each module; no request may have ended in an exception."""

    environment = {}
    spoils_its_database = False
    connection_settings = ""

    @classmethod
    def setUpClass(cls):
        cls.database = SampleDatabase() if cls.spoils_its_database else database_of(cls.__module__)
        cls.site = Site(cls.database.url + cls.connection_settings, MTM_API_TOKEN=TOKEN, **cls.environment)

    @classmethod
    def tearDownClass(cls):
        log = cls.site.stop()
        assert "Traceback" not in log, log
        wait_for("the end of the site's sessions", lambda: not cls.database.backends())

    def assert_status(self, status, answer):
        self.assertEqual(answer.status, status, answer.text)

    def assert_shows(self, page, *texts):
        for text in texts:
            self.assertTrue(text in page.text, f"{text!r} is not on the page")

    def assert_hides(self, page, *texts):
        for text in texts:
            self.assertFalse(text in page.text, f"{text!r} is on the page")


def track(track_id, name="A Song", artists=("An Artist",), url=None, **more):
    """A track object, as Spotify has it, shortened."""
    return {
        "album": {"name": "An Album", "release_date": "2004-07", "release_date_precision": "month"},
        "artists": [{"name": artist} for artist in artists],
        "duration_ms": 215_000,
        "explicit": False,
        "external_ids": {"isrc": "GBAYE0601498"},
        "external_urls": {"spotify": url or f"https://open.spotify.com/track/{track_id}"},
        "id": track_id,
        "name": name,
        **more,
    }
