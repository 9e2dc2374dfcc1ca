"""A pool that is empty, statements that take too long, sessions that end, a server that is away."""

import threading
from concurrent.futures import ThreadPoolExecutor

from gunicorn_site import Site, SiteTestCase, at_once, track, wait_for

PAGES = ["/", "/dashboard", "/search?q=blue", "/questions"]


class SmallPool(SiteTestCase):
    environment = {
        "MTM_POOL_MIN": "2", "MTM_POOL_MAX": "2", "MTM_POOL_ACQUIRE_TIMEOUT": "200ms", "MTM_STATEMENT_TIMEOUT": "10s"
    }

    def test_who_waits_too_long_for_a_connection_is_asked_to_come_again(self):
        locker = self.database.locking_connection()
        self.addCleanup(locker.close)
        outcomes = []
        waiting = [threading.Thread(target=lambda: outcomes.append(self.site.get("/dashboard"))) for _ in range(2)]
        for thread in waiting:
            thread.start()
        wait_for("both connections", lambda: len(self.database.backends("wait_event_type = 'Lock'")) == 2)

        for answer in at_once([lambda: self.site.get("/search?q=blue"), lambda: self.site.post({"items": [track("a")]})]):
            self.assert_status(503, answer)
            self.assertEqual(answer.headers["Retry-After"], "1")
        self.assert_status(200, self.site.get("/healthz"))
        self.assertEqual(outcomes, [])

        locker.rollback()
        for thread in waiting:
            thread.join()
        self.assertEqual([answer.status for answer in outcomes], [200, 200])
        for path in PAGES * 5:
            self.assert_status(200, self.site.get(path))
        self.assertEqual(len(self.database.backends()), 2)


class SlowStatements(SiteTestCase):
    environment = {"MTM_POOL_MIN": "1", "MTM_POOL_MAX": "1", "MTM_STATEMENT_TIMEOUT": "300ms"}

    def test_a_statement_that_takes_too_long_ends_and_its_connection_stays(self):
        self.assert_status(200, self.site.get("/"))
        backend = self.database.backends()
        locker = self.database.locking_connection()
        self.addCleanup(locker.close)
        answer = self.site.get("/")
        self.assert_status(503, answer)
        self.assertEqual(answer.headers["Retry-After"], "5")
        locker.rollback()
        self.assert_status(200, self.site.get("/"))
        self.assertEqual(self.database.backends(), backend)


class LostSessions(SiteTestCase):
    environment = {"MTM_POOL_MIN": "8", "MTM_POOL_MAX": "8"}

    def statuses_with_every_connection_at_work(self):
        locker = self.database.locking_connection()
        with ThreadPoolExecutor(8) as threads:
            answers = [threads.submit(self.site.get, "/dashboard") for _ in range(8)]
            try:
                wait_for("eight sessions", lambda: len(self.database.backends("wait_event_type = 'Lock'")) == 8)
            finally:
                locker.close()
        return [answer.result().status for answer in answers]

    def test_idle_sessions_that_end_are_replaced(self):
        self.assertEqual(self.statuses_with_every_connection_at_work(), [200] * 8)
        for _ in range(3):
            self.assertEqual(self.database.terminate_backends(), 8)
            self.assertEqual(self.statuses_with_every_connection_at_work(), [200] * 8)

    def test_sessions_that_end_at_work_lose_nothing_that_was_answered(self):
        pages = {number: {"items": [track(f"lost-{n}") for n in range(number, number + 20)]} for number in range(12)}
        done = threading.Event()

        def send(number):
            statuses = []

            def arrived():
                answer = self.site.post(pages[number], date=f"2032-01-{number + 1:02}")
                self.assertIn(answer.status, (200, 503), answer.text)
                statuses.append(answer.status)
                return answer.status == 200

            while not done.is_set():
                arrived()
            wait_for("the page's arrival", arrived)
            return statuses

        def strike():
            try:
                # As long as it takes until somebody was hit.
                wait_for("a 503", lambda: self.database.terminate_backends() and "the database:" in self.site.log())
            finally:
                done.set()

        _, *outcomes = at_once([strike, *(lambda number=number: send(number) for number in pages)])
        self.assertTrue(any(503 in statuses for statuses in outcomes))
        stored = self.database.value("SELECT count(*) FROM snapshots WHERE snapshot_date >= '2032-01-01'")
        self.assertEqual(stored, 12 * 20)
        for path in PAGES * 5:
            self.assert_status(200, self.site.get(path))


class ServerAway(SiteTestCase):
    def test_the_site_outlives_its_server(self):
        self.assert_status(200, self.site.get("/"))
        self.database.allow_connections(False)
        self.database.terminate_backends()
        started_meanwhile = Site(self.database.url)
        for site in (self.site, started_meanwhile):
            for path in PAGES:
                answer = site.get(path)
                self.assert_status(503, answer)
                self.assertEqual(answer.headers["Retry-After"], "5")
            self.assert_status(200, site.get("/healthz"))
        self.database.allow_connections(True)
        for site in (self.site, started_meanwhile):
            for path in PAGES * 3:
                self.assert_status(200, site.get(path))
        self.assertNotIn("Traceback", started_meanwhile.stop())
