# The site as an image: `mtm`, the mapping, and the versions of the schema. docs/railway.md says how it is put on Railway;
# `script/image` carries these steps out without Docker, and tries what comes of them.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Nobody debugs in there, and the program is a quarter of the size.
ENV CARGO_PROFILE_RELEASE_DEBUG=none

# What we depend on, built for two empty crates: a layer that lasts until the manifests change. Cache mounts would do more,
# but Railway wants a service's id in each one's name. What came of the empty crates is removed, lest cargo take it for what
# is made of the real ones, whose files may be older.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY migration/Cargo.toml migration/
RUN mkdir src benches migration/src \
    && touch src/lib.rs benches/cells.rs migration/src/lib.rs && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked --bin mtm \
    && cargo clean --release --package mtm --package migration

COPY . .
RUN cargo build --release --locked --bin mtm

# Nothing is installed: `mtm` needs libc, libm and libgcc_s, which are there; the certificates it trusts are compiled in.
FROM debian:12-slim
WORKDIR /app
# Read-only for everybody, whatever the modes are where the image is built.
COPY --chmod=555 --from=build /src/target/release/mtm /usr/local/bin/
COPY --chmod=555 mappings mappings
COPY --chmod=555 migration/versions migration/versions

# A number needs no entry in /etc/passwd, and says to whoever reads it that it is not root's.
USER 10001:10001
# Where the platform sets no PORT.
EXPOSE 8000
# `mtm serve` finishes the requests that are under way.
STOPSIGNAL SIGTERM
# No HEALTHCHECK: it would take a program that asks, and Railway asks by itself. No shell either, since `mtm serve` reads
# PORT and DATABASE_URL by itself. No ENTRYPOINT, so that other commands name the program: `mtm migrate up`.
CMD ["mtm", "serve"]
