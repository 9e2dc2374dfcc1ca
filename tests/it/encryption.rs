//! Encrypted connections: what each `sslmode` asks of the server's certificate, as `docs/railway.md` says it to people.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::{bad_input::Guarded, support::TestDatabase};

/// An authority, and two certificates of it for `localhost`: a server's, and one that is marked as an authority's, as
/// Railway's PostgreSQL makes it.
const CERTIFICATES: &str = "
    key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
    openssl req -x509 $key -days 2 -subj /CN=authority -keyout root.key -out root.crt
    openssl req $key -subj /CN=localhost -keyout server.key -out server.csr
    for authority in FALSE TRUE; do
        printf 'basicConstraints = critical, CA:%s\nsubjectAltName = DNS:localhost\n' $authority >extensions
        openssl x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 \
            -extfile extensions -out authority-$authority.crt
    done";

/// Lets the server show this certificate, and waits until it does.
async fn show_certificate(server: &TestDatabase, certificate: &str) {
    for sql in [
        &format!("ALTER SYSTEM SET ssl_cert_file = '{certificate}'"),
        "ALTER SYSTEM SET ssl_key_file = 'server.key'",
        "ALTER SYSTEM SET ssl = on",
        "SELECT pg_reload_conf()",
    ] {
        server.execute(sql).await;
    }
    let begun = Instant::now();
    while server.value("current_setting('ssl_cert_file')").await.as_deref() != Some(certificate) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the server does not take {certificate}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_asked_for_as_sslmode_says() {
    let guarded = Guarded::start();
    let folder = guarded.place.path();
    let made = Command::new("sh").args(["-ec", CERTIFICATES]).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));

    let url = guarded.url(&guarded.password);
    let server = TestDatabase::of(format!("{url}?sslmode=prefer"));
    let data = server.value("current_setting('data_directory')").await.unwrap();
    let owner = fs::metadata(&data).unwrap();
    for name in ["authority-FALSE.crt", "authority-TRUE.crt", "server.key"] {
        let file = Path::new(&data).join(name);
        fs::copy(folder.join(name), &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    let by_name = url.replace("127.0.0.1", "localhost");
    let plan = |url: &str, mode: &str| {
        guarded.place.mtm(&["plan", "--source", "source.db", "--target", &format!("{url}?sslmode={mode}")])
    };
    let refused = |url: &str, mode: &str, reason: &str| {
        plan(url, mode).fails(1, &["no encrypted connection", reason, "check sslmode and sslrootcert"]);
    };

    refused(&url, "require", "does not support TLS");

    show_certificate(&server, "authority-FALSE.crt").await;
    plan(&url, "require").succeeds();
    refused(&by_name, "verify-full", "UnknownIssuer");
    refused(&by_name, "verify-ca&sslrootcert=nowhere.crt", "No such file");
    plan(&url, "verify-ca&sslrootcert=root.crt").succeeds();
    plan(&by_name, "verify-full&sslrootcert=root.crt").succeeds();
    refused(&url, "verify-full&sslrootcert=root.crt", "127.0.0.1");

    show_certificate(&server, "authority-TRUE.crt").await;
    plan(&by_name, "require").succeeds();
    refused(&by_name, "verify-ca&sslrootcert=root.crt", "CaUsedAsEndEntity");
}
