"""The Music Time Machine on Flask and PostgreSQL. Start it with `gunicorn app:app`."""

import hmac
import json
import os
from datetime import date

import psycopg2
from flask import Flask, abort, jsonify, render_template, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, Unauthorized

import queries
import snapshots
from database import Busy, Database

LONGEST_QUESTION = 200  # characters
LARGEST_PAGE = 1024 * 1024  # bytes; fifty track objects are a quarter of it

# Nothing but this site's own style sheet is loaded, no script runs, and nobody puts the site into a frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = LARGEST_PAGE
app.jinja_env.filters["thousands"] = "{:,}".format
database = Database.from_environment()


@app.get("/")
def index():
    """How many tracks, how fast they change, who stays; and when tracks came in."""
    with database.transaction() as cursor:
        counts = one(cursor, queries.COUNTS)
        turnover = one(cursor, queries.TURNOVER).percent
        artist = one(cursor, queries.MOST_CONSISTENT_ARTIST)
        first_seen = rows(cursor, queries.FIRST_SEEN)
    return render_template("index.html", counts=counts, turnover=turnover, artist=artist, first_seen=first_seen[::-1])


@app.get("/dashboard")
def dashboard():
    """Two summaries out of the payloads."""
    with database.transaction() as cursor:
        counts = one(cursor, queries.COUNTS)
        years = rows(cursor, queries.RELEASE_YEARS)
        explicit = one(cursor, queries.EXPLICIT_AND_CLEAN)
    return render_template("dashboard.html", counts=counts, years=years, explicit=explicit)


@app.get("/search")
def search():
    """The twenty tracks that match best by name and artist."""
    words = asked("q")
    hits = []
    if words:
        with database.transaction() as cursor:
            hits = rows(cursor, queries.SEARCH, {"words": words})
    return render_template("search.html", words=words, hits=hits)


@app.get("/questions")
def questions():
    """What JSONB can be asked: a year, an artist, an identifier that exists, a value."""
    year = asked("year") or str(date.today().year - 1)
    with database.transaction() as cursor:
        favourite = one(cursor, queries.MOST_CONSISTENT_ARTIST)
        artist = asked("artist") or (favourite.artist_name if favourite else "")
        parameters = {"year": year, "with_artist": json.dumps({"artists": [{"name": artist}]})}
        answers = [(question, rows(cursor, question.sql, parameters)) for question in queries.QUESTIONS]
    return render_template("questions.html", year=year, artist=artist, answers=answers)


@app.post("/api/snapshots")
def store_snapshot():
    """Takes a page of `/me/top/tracks`. Sent again, on the same day or later, it makes no duplicates."""
    check_token()
    time_range = request.args.get("time_range")
    if time_range not in snapshots.TIME_RANGES:
        abort(400, f"time_range is one of {', '.join(snapshots.TIME_RANGES)}")
    snapshot_date = asked_date()
    try:
        page = snapshots.read_page(request.get_data())
        with database.transaction() as cursor:
            snapshots.store(cursor, page, snapshot_date, time_range)
    except snapshots.BadPage as error:
        abort(400, str(error))
    except psycopg2.DataError:
        abort(400, "the page holds what jsonb cannot, such as the character U+0000")
    return jsonify(date=snapshot_date.isoformat(), time_range=time_range, tracks=len(page))


@app.get("/healthz")
def healthz():
    """Whether the process answers; the database is not asked, so that its outage restarts nobody."""
    return {"status": "ok"}


def check_token():
    """Lets nobody write without the token. The time that a comparison takes tells nothing of how much was right."""
    token = os.environ.get("MTM_API_TOKEN")
    if not token:
        abort(404, "nothing is written here: MTM_API_TOKEN is not set")
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Unauthorized("the token is missing, or not the right one", www_authenticate=WWWAuthenticate("bearer"))


def asked(name):
    """A parameter of the address; PostgreSQL's texts cannot hold U+0000."""
    return request.args.get(name, "").replace("\0", "").strip()[:LONGEST_QUESTION]


def asked_date():
    """The day of the snapshot: today, where none is named."""
    text = request.args.get("date")
    if text is None:
        return date.today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or text != day.isoformat():
        abort(400, "date is a day, such as 2026-01-31")
    return day


def rows(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchall()


def one(cursor, sql):
    return next(iter(rows(cursor, sql)), None)


@app.after_request
def protect(response):
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@app.errorhandler(HTTPException)
def refused(error):
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return problem(error.code, error.description, headers)


@app.errorhandler(Busy)
def busy(error):
    app.logger.warning("busy: %s", error)
    return problem(503, "More is asked at the moment than can be answered. Please try again.", {"Retry-After": "1"})


@app.errorhandler(psycopg2.OperationalError)
@app.errorhandler(psycopg2.InterfaceError)
def unavailable(error):
    app.logger.error("the database: %s", str(error).strip())
    return problem(503, "The database does not answer in time. Please try again.", {"Retry-After": "5"})


def problem(status, message, headers):
    if request.path.startswith("/api/"):
        return jsonify(error=message), status, headers
    return render_template("problem.html", status=status, message=message), status, headers
