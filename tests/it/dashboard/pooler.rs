//! A real PgBouncer before the server: by transactions it is refused at the start, by sessions it serves.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;

use super::site::{Site, refused, with_rows};
use crate::command::Workplace;

/// A PgBouncer of the test's own.
struct Pooler {
    child: Child,
    port: u16,
}

impl Pooler {
    fn start(place: &Workplace, url: &str, mode: &str) -> Pooler {
        let options: PgConnectOptions = url.parse().unwrap();
        let host = options
            .get_socket()
            .map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users = place.write("users.txt", "\"postgres\" \"\"\n");
        let settings = place.write(
            &format!("pgbouncer-{mode}.ini"),
            format!(
                "[databases]\n* = host={host} port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = any\nauth_file = {}\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits, options\n",
                options.get_port(),
                users.display()
            ),
        );
        // It refuses to be root, and whoever it becomes has to read its settings.
        let open = Command::new("chmod").args(["-R", "a+rX"]).arg(place.path()).status().unwrap();
        assert!(open.success());
        let mut command = Command::new("pgbouncer");
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            command.args(["-u", "postgres"]);
        }
        let child = command
            .arg(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is there: script/test installs it");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Pooler { child, port }
    }

    fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_of_transactions_is_refused_and_the_way_out_named() {
    let way = with_rows("").await;
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::start(&way.place, &way.target.url, mode);
        let settings = [("DATABASE_URL", pooler.url(&way.target.name))];
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        refused(&way.place, &[], &settings).fails(1, &["DATABASE_UNPOOLED_URL"]);
    }
    let site = Site::serve(&way.place, &way.target.url, &[]);
    site.get("/").is(200);
}
