"""The pages, against what the SQLite file says."""

import json
from collections import Counter
from urllib.parse import quote

import queries
from gunicorn_site import SiteTestCase, track
from sample_database import of_the_source


def payloads():
    return [json.loads(text or "{}") for (text,) in of_the_source("SELECT raw_json FROM tracks")]


def release_year(payload):
    return payload.get("album", {}).get("release_date", "")[:4]


class Pages(SiteTestCase):
    def test_overview(self):
        page = self.site.get("/")
        self.assert_status(200, page)
        self.assert_shows(page, "<dd>1,200</dd>")

        latest, previous = [
            {track_id for (track_id,) in of_the_source(
                f"SELECT track_id FROM snapshots WHERE time_range = 'short_term' AND snapshot_date = '{date}'"
            )}
            for (date,) in of_the_source(
                """SELECT DISTINCT snapshot_date FROM snapshots WHERE time_range = 'short_term'
                   ORDER BY snapshot_date DESC LIMIT 2"""
            )
        ]
        self.assert_shows(page, f"{100 * len(latest - previous) / len(latest):.1f} %")

        [(artist, dates)] = of_the_source(
            """SELECT artist_name, count(DISTINCT snapshot_date) AS dates FROM snapshots JOIN tracks USING (track_id)
               GROUP BY artist_name ORDER BY dates DESC, artist_name LIMIT 1"""
        )
        self.assert_shows(page, f"{artist} <small>on {dates} dates</small>")

        firsts = Counter(date for (date,) in of_the_source("SELECT min(snapshot_date) FROM snapshots GROUP BY track_id"))
        all_dates = [date for (date,) in of_the_source("SELECT DISTINCT snapshot_date FROM snapshots ORDER BY 1")]
        [[_, *numbers]] = page.tables()
        self.assertEqual(numbers, [[date, str(firsts[date])] for date in all_dates[-52:]])
        self.assertEqual(page.text.count("<rect"), 52)

    def test_dashboard(self):
        page = self.site.get("/dashboard")
        self.assert_status(200, page)
        years, explicit = page.tables()

        counted = Counter(release_year(payload) for payload in payloads() if release_year(payload))
        top_ten = sorted(counted.items(), key=lambda year: (year[1], year[0]), reverse=True)[:10]
        self.assertEqual([(year, int(tracks)) for year, tracks, *_ in years[1:]], top_ten)
        precisions = Counter(
            (release_year(payload), payload["album"]["release_date_precision"])
            for payload in payloads() if release_year(payload)
        )
        for year, _, _, *known in years[1:]:
            self.assertEqual([int(tracks) for tracks in known], [precisions[year, to] for to in ("day", "month", "year")])
        self.assertGreater(sum(int(row[-1]) for row in years[1:]), 0, "no release date is known to its year alone")

        said = Counter(payload.get("explicit") for payload in payloads())
        self.assertEqual([int(row[1]) for row in explicit], [said[True], said[False], said[None]])
        self.assertGreater(said[None], 0, "every payload says whether it is explicit")

    def test_search(self):
        for query, expected in [("amara lindqvist", "Amara Lindqvist"), ("BLUE waltzes", "Blue Waltz")]:
            [[_, *hits]] = self.site.get(f"/search?q={quote(query)}").tables()
            self.assertTrue(1 <= len(hits) <= 20, hits)
            self.assertTrue(all(expected in hit[0] + hit[1] for hit in hits), hits)

        [[_, *hits]] = self.site.get("/search?q=blue").tables()
        self.assertEqual(len(hits), 20)
        self.assertNotIn("Blue Waltz", [hit[0] for hit in self.site.get("/search?q=blue+-waltz").tables()[0]])

    def test_whatever_is_searched_for(self):
        for query in ["", "the", "'; DROP TABLE tracks; --", "100% %s %(x)s", "\0", "!!!", "\"", "🎵", "x" * 3_000]:
            with self.subTest(query=query[:30]):
                self.assert_status(200, self.site.get(f"/search?q={quote(query)}"))
        self.assert_shows(self.site.get("/search?q=drop+table+tracks"), "&#39;; DROP TABLE tracks; --")

    def test_questions(self):
        artist = "Amara Lindqvist"
        page = self.site.get(f"/questions?year=2016&artist={quote(artist)}")
        self.assert_status(200, page)
        expected = [
            sum(release_year(payload) == "2016" for payload in payloads()),
            sum(any(one["name"] == artist for one in payload.get("artists", [])) for payload in payloads()),
            sum("isrc" in payload.get("external_ids", {}) for payload in payloads()),
            sum(payload.get("explicit") is True for payload in payloads()),
        ]
        for count, question in zip(expected, queries.QUESTIONS, strict=True):
            self.assertGreater(count, 10, question.title)
            self.assert_shows(page, f"<p>{count:,} tracks; the first 10:</p>")
        self.assertTrue(all(row[3] == "2016" for row in page.tables()[0][1:]))
        nobody = self.site.get("/questions?year=0&artist=" + quote("""nobody", "x": '"""))
        self.assertEqual(nobody.text.count("<p>0 tracks</p>"), 2)

    def test_each_question_uses_its_index(self):
        parameters = {"words": "blue", "year": "2016", "with_artist": '{"artists": [{"name": "DJ Novák"}]}'}
        self.database.rows("SET enable_seqscan = off")
        asked = [(queries.SEARCH, "idx_tracks_search")] + [(q.sql, q.index) for q in queries.QUESTIONS]
        for sql, index in asked:
            plan = "\n".join(line for (line,) in self.database.rows("EXPLAIN " + sql, parameters))
            self.assertIn(f" {index} ", plan)

    def test_headers(self):
        for path in ["/", "/healthz", "/nowhere", "/static/style.css"]:
            policy = self.site.get(path).headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
        self.assertEqual(self.site.get("/nowhere").status, 404)


class SentTracks(SiteTestCase):
    spoils_its_database = True

    def test_search_ranks(self):
        once, twice = track("ranked-1", "Zyzzyva"), track("ranked-2", "Zyzzyva", artists=["Zyzzyva"])
        self.assert_status(200, self.site.post({"items": [once, twice]}))
        [[_, *hits]] = self.site.get("/search?q=zyzzyva").tables()
        self.assertEqual([hit[1] for hit in hits], ["Zyzzyva", "An Artist"])

    def test_everything_is_escaped(self):
        evil = track(
            "evil", "<script>alert(1)</script>", artists=['"><img src=x onerror=alert(2)>'], url="javascript:alert(3)"
        )
        self.assert_status(200, self.site.post({"items": [evil]}))
        artist = evil["artists"][0]["name"]
        for page in [self.site.get("/search?q=alert"), self.site.get(f"/questions?artist={quote(artist)}")]:
            self.assert_shows(page, "&lt;script&gt;alert(1)&lt;/script&gt;", "&#34;&gt;&lt;img src=x")
            self.assert_hides(page, "<script", "<img", "javascript:")
        for parameter in ["search?q", "questions?year", "questions?artist"]:
            page = self.site.get(f"/{parameter}={quote(artist)}")
            self.assert_shows(page, "&#34;&gt;&lt;img src=x")
            self.assert_hides(page, "<img")

    def test_a_track_without_a_name_has_a_link_to_click(self):
        self.assert_status(200, self.site.post({"items": [track("nameless", " ", artists=["Nobody"])]}))
        self.assert_shows(self.site.get("/search?q=nobody"), '/track/nameless" rel="noreferrer">(no name)</a>')


class EmptyPages(SiteTestCase):
    spoils_its_database = True

    def test_every_page_without_a_track(self):
        self.database.rows("TRUNCATE tracks, snapshots")
        for path in ["/", "/dashboard", "/search?q=blue", "/questions"]:
            self.assert_status(200, self.site.get(path))
        self.assert_shows(self.site.get("/"), "There is no snapshot yet.")


class OtherSchema(SiteTestCase):
    spoils_its_database = True
    connection_settings = "&options=-csearch_path%3Dmusic"

    def test_what_the_url_sets_holds_beside_our_settings(self):
        self.database.rows("CREATE SCHEMA music")
        for table in ("tracks", "snapshots"):
            self.database.rows(f"ALTER TABLE {table} SET SCHEMA music")
        self.assert_shows(self.site.get("/"), "<dd>1,200</dd>")
