"""How `gunicorn app:app` serves; a flag on its command line beats what is said here."""

import os

bind = f"[::]:{os.environ.get('PORT', '8000')}"  # Railway's private network may know IPv6 alone
worker_class = "gthread"
workers = 1  # each has a pool of its own: workers × MTM_POOL_MAX connections in all
threads = 16
control_socket_disable = True
