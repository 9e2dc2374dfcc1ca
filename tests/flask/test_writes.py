"""Snapshots that are sent: checked, stored once, and side by side."""

import json
import random
from collections import defaultdict

from gunicorn_site import Site, SiteTestCase, at_once, track, wait_for

THREADS = 16
PAGES_A_THREAD = 12
TIMES_RANGES = [(date, time_range) for date in ("2031-01-03", "2031-01-10") for time_range in ("short_term", "long_term")]


class Writes(SiteTestCase):
    def counts(self):
        return self.database.rows("SELECT 't', count(*) FROM tracks UNION ALL SELECT 's', count(*) FROM snapshots")

    def test_a_page_is_stored(self):
        items = [track("b", "Second", artists=["One", "Two"]), track("a", "First", album={}, duration_ms=None)]
        answer = self.site.post({"items": items, "offset": 20}, "medium_term", "2031-03-01")
        self.assert_status(200, answer)
        self.assertEqual(json.loads(answer.text), {"date": "2031-03-01", "time_range": "medium_term", "tracks": 2})
        stored = self.database.rows(
            """SELECT track_id, rank, name, artist_name, album_name, duration_ms, spotify_url, raw_json
               FROM snapshots JOIN tracks USING (track_id)
               WHERE snapshot_date = '2031-03-01' AND time_range = 'medium_term' ORDER BY rank"""
        )
        address = "https://open.spotify.com/track/"
        self.assertEqual(stored, [
            ("b", 21, "Second", "One, Two", "An Album", 215_000, address + "b", items[0]),
            ("a", 22, "First", "An Artist", None, None, address + "a", items[1]),
        ])

    def test_a_page_sent_again_writes_nothing(self):
        page = {"items": [track(f"again-{number}") for number in range(50)]}
        state = """SELECT track_id, rank, snapshots.xmin AS writer_of_rank, tracks.xmin AS writer_of_track,
                          tracks.created_at, tracks.updated_at
                   FROM snapshots JOIN tracks USING (track_id) WHERE snapshot_date = '2031-03-02' ORDER BY rank"""
        self.assert_status(200, self.site.post(page, date="2031-03-02"))
        first = self.database.rows(state)
        self.assertEqual(len(first), 50)
        self.assert_status(200, self.site.post(page, date="2031-03-02"))
        self.assertEqual(self.database.rows(state), first)

        page["items"][0]["name"] = "Another Name"
        page["items"].insert(0, page["items"].pop())
        self.assert_status(200, self.site.post(page, date="2031-03-02"))
        second = self.database.rows(state)
        self.assertEqual([row.track_id for row in second], [item["id"] for item in page["items"]])
        self.assertEqual({row.created_at for row in second}, {row.created_at for row in first})
        self.assertEqual([row.track_id for row in second if row.updated_at != row.created_at], ["again-0"])

    def test_a_track_that_is_named_twice_has_its_better_rank(self):
        page = {"items": [track("x"), track("twice"), track("twice")]}
        self.assert_status(200, self.site.post(page, date="2031-03-03"))
        ranks = "SELECT track_id, rank FROM snapshots WHERE snapshot_date = '2031-03-03' ORDER BY rank"
        self.assertEqual(self.database.rows(ranks), [("x", 1), ("twice", 2)])

    def test_what_is_no_page_is_refused(self):
        good = track("good")
        wrong = [
            {"id": None}, {"id": ""}, {"id": "x" * 65}, {"id": 7}, {"id": "a\0b"}, {"name": None}, {"name": "a\0"},
            {"name": "\ud83c"}, {"artists": None}, {"artists": ["x"]}, {"artists": [{}]}, {"album": []},
            {"album": {"name": 7}}, {"duration_ms": "1"}, {"duration_ms": 1.5}, {"duration_ms": 2**31},
            {"duration_ms": True}, {"external_urls": 7}, {"external_urls": {"spotify": 7}}, {"preview_url": "a\0b"},
        ]
        bodies = [
            b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"{}", b'{"items": [NaN]}', b'{"items": [], "offset": 1e999}',
            b'{"items": {}}', b'{"items": [1]}',
            *[{"items": [], "offset": offset} for offset in (-1, True, "1", 10**30)],
            *[{"items": [good, track("later") | change]} for change in wrong],
        ]
        before = self.counts()
        for body in bodies:
            with self.subTest(body=str(body)[-200:]):
                answer = self.site.post(body)
                self.assert_status(400, answer)
                self.assertTrue(json.loads(answer.text)["error"])
        for time_range, date in [("", "2031-01-01"), ("weekly", "2031-01-01"), ("short_term", "2031-02-29"),
                                 ("short_term", "20310101"), ("short_term", "2031"), ("short_term", "")]:
            with self.subTest(time_range=time_range, date=date):
                self.assert_status(400, self.site.post({"items": [good]}, time_range, date))
        self.assertEqual(self.counts(), before)
        self.assert_status(200, self.site.post({"items": [good]}))

    def test_a_page_that_is_too_large_is_refused(self):
        large = {"items": [track("large", filling="x" * 600_000)]}
        self.assert_status(200, self.site.post(large))
        large["items"][0]["filling"] *= 2
        self.assert_status(413, self.site.post(large))

    def test_without_the_token_nobody_writes(self):
        before = self.counts()
        for token in [None, "", "wrong", "correct horse battery stapl", "correct horse battery staple ü"]:
            answer = self.site.post({"items": [track("nobody")]}, token=token)
            self.assert_status(401, answer)
            self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        site = Site(self.database.url)
        self.assert_status(404, site.post({"items": [track("nobody")]}))
        self.assert_status(404, site.post({"items": [track("nobody")]}, token=""))
        site.stop()
        self.assertEqual(self.counts(), before)


class OverlappingWriters(SiteTestCase):
    """Each of sixteen threads sends pages of some of the same sixty tracks, in an order of its own, and reads in between."""

    def write_and_read(self, number):
        chance = random.Random(number)
        sent = []
        for _ in range(PAGES_A_THREAD):
            date, time_range = chance.choice(TIMES_RANGES)
            ids = chance.sample([f"overlap-{n:02}" for n in range(60)], 40)
            page = {"items": [track(track_id, popularity=chance.randrange(100)) for track_id in ids]}
            self.assert_status(200, self.site.post(page, time_range, date))
            sent += [
                ((item["id"], date, time_range), rank, item["popularity"])
                for rank, item in enumerate(page["items"], 1)
            ]
            for path in chance.sample(["/", "/dashboard", "/search?q=song", "/questions"], 2):
                self.assert_status(200, self.site.get(path))
        return sent

    def test_overlapping_writers_lose_nothing(self):
        before = self.database.value("SELECT count(*) FROM snapshots")
        ranks, popularities = defaultdict(set), defaultdict(set)
        for sent in at_once([lambda number=number: self.write_and_read(number) for number in range(THREADS)]):
            for key, rank, popularity in sent:
                ranks[key].add(rank)
                popularities[key[0]].add(popularity)

        stored = self.database.rows(
            """SELECT track_id, snapshot_date::text, time_range, rank, (raw_json -> 'popularity')::int AS popularity
               FROM snapshots JOIN tracks USING (track_id) WHERE track_id LIKE 'overlap-%'"""
        )
        self.assertEqual(sorted(row[:3] for row in stored), sorted(ranks))
        for row in stored:
            self.assertIn(row.rank, ranks[row[:3]])
            self.assertIn(row.popularity, popularities[row.track_id])
        self.assertEqual(self.database.value("SELECT count(*) FROM snapshots"), before + len(ranks))
        wait_for("no more sessions than MTM_POOL_MIN", lambda: len(self.database.backends()) <= 2)
