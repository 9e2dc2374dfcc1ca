//! The private PostgreSQL, with real servers in folders of their own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
};

use mtm::local::{LocalError, LocalServer, Running, StartOptions, Status};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

/// A server that goes with the test, and its files with it: root's lie outside of the test's folder.
pub struct Scratch {
    workdir: PathBuf,
    pub server: LocalServer,
    _folder: tempfile::TempDir,
}

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        let workdir = folder.path().join(name);
        fs::create_dir(&workdir).unwrap();
        Scratch { server: LocalServer::at(&workdir), workdir, _folder: folder }
    }

    pub fn start(&self) -> Running {
        self.server.start(StartOptions::default()).unwrap()
    }

    pub fn stop(&self) {
        assert!(self.server.stop().unwrap(), "it was running");
    }

    /// Where the pointer of this name leads.
    fn pointer(&self, name: &str) -> Option<PathBuf> {
        fs::read_to_string(self.workdir.join(".mtm").join(name)).ok().map(|text| text.trim_end().into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.server.stop().ok();
        for pointer in ["postgres.location", "socket.location"] {
            if let Some(target) =
                self.pointer(pointer).filter(|path| path.to_string_lossy().contains("/mtm-"))
            {
                fs::remove_dir_all(target).ok();
            }
        }
    }
}

async fn value(url: &str, sql: &'static str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    path.metadata().unwrap().mode() & 0o777
}

#[tokio::test]
async fn starts_once_stops_once_and_keeps_its_data() {
    let scratch = Scratch::new("plain");
    assert_eq!(scratch.server.status().unwrap(), Status::Absent);
    assert!(!scratch.server.stop().unwrap());
    assert!(matches!(scratch.server.url("postgres"), Err(LocalError::NotRunning { .. })));

    let running = scratch.start();
    assert_eq!(scratch.start(), running, "a second start changes nothing");
    assert_eq!(scratch.server.status().unwrap(), Status::Running(running.clone()));
    assert_eq!((mode(&running.socket_directory), running.tcp), (0o700, false));
    assert!(running.ensure_database("mtm \"demo\" é").await.unwrap());
    assert!(!running.ensure_database("mtm \"demo\" é").await.unwrap());

    let url = scratch.server.url("mtm \"demo\" é").unwrap();
    let settings = "SELECT concat_ws(' ', current_database(), current_setting('server_encoding'), \
                    (SELECT datcollate FROM pg_database WHERE datname = current_database()), \
                    current_setting('TimeZone'), '[' || current_setting('listen_addresses') || ']')";
    assert_eq!(value(&url, settings).await, "mtm \"demo\" é UTF8 C.UTF-8 UTC []");

    assert!(scratch.server.stop().unwrap());
    assert!(!scratch.server.stop().unwrap());
    assert_eq!(scratch.server.status().unwrap(), Status::Stopped { data: running.data.clone() });
    let again = scratch.start();
    assert_eq!(again.data, running.data);
    assert!(!again.ensure_database("mtm \"demo\" é").await.unwrap(), "the database is still there");
}

#[tokio::test]
async fn awkward_and_deep_folder_is_no_obstacle() {
    let scratch = Scratch::new(&format!("my \"music\" o'hara $(x) 100% é {}", "deep".repeat(20)));
    let running = scratch.start();
    assert_eq!(value(&running.url("postgres"), "SELECT 'here'").await, "here");
    assert!(running.socket_directory.as_os_str().len() < 90, "{}", running.socket_directory.display());
}

#[tokio::test]
async fn tcp_needs_the_port_and_the_password() {
    let scratch = Scratch::new("tcp");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let running = scratch.server.start(StartOptions { port: Some(port) }).unwrap();
    assert_eq!((running.port, running.tcp), (port, true));
    let file = running.password_file.clone().unwrap();
    assert_eq!(mode(&file), 0o600);
    let password = fs::read_to_string(&file).unwrap().trim().to_owned();

    let tcp = |password: &str| {
        PgConnectOptions::from_str(&format!("postgresql://postgres:{password}@127.0.0.1:{port}/postgres"))
            .unwrap()
    };
    let mut connection = PgConnection::connect_with(&tcp(&password)).await.unwrap();
    let stored: String = sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(stored.starts_with("SCRAM-SHA-256$"));
    assert!(PgConnection::connect_with(&tcp("wrong")).await.is_err());
    assert!(!running.url("postgres").contains(&password));
    assert!(!fs::read_to_string(&running.log).unwrap_or_default().contains(&password));

    // The twin of the refusal: the port that it has, or none named, is fine.
    assert_eq!(scratch.server.start(StartOptions { port: Some(port) }).unwrap(), running);
    assert_eq!(scratch.start(), running);
    let other = StartOptions { port: Some(port ^ 1) };
    let refusal = scratch.server.start(other).unwrap_err();
    assert!(matches!(refusal, LocalError::OtherPort { .. }), "{refusal}");
    assert!(refusal.to_string().contains("mtm local stop"), "{refusal}");
}

#[test]
fn port_in_use_is_said_and_nothing_stays_running() {
    let scratch = Scratch::new("taken");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let refusal = scratch.server.start(StartOptions { port: Some(port) }).unwrap_err();
    assert!(matches!(refusal, LocalError::Start { .. }), "{refusal}");
    assert!(matches!(scratch.server.status().unwrap(), Status::Stopped { .. }));
    scratch.start();
}

#[test]
fn another_programs_process_is_neither_stopped_nor_in_the_way() {
    let scratch = Scratch::new("crashed");
    let data = scratch.start().data;
    scratch.server.stop().unwrap();
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(
        data.join("postmaster.pid"),
        format!("{}\n{}\n1\n5432\n/tmp\n\n1 1\nready\n", bystander.id(), data.display()),
    )
    .unwrap();
    assert!(!scratch.server.stop().unwrap());
    assert!(matches!(scratch.server.status().unwrap(), Status::Stopped { .. }));
    let running = scratch.start();
    assert_ne!(running.pid, bystander.id());
    assert!(scratch.server.stop().unwrap());
    assert!(bystander.try_wait().unwrap().is_none(), "it lives");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn unfinished_initdb_is_begun_again() {
    let scratch = Scratch::new("interrupted");
    let data = scratch.start().data;
    scratch.server.stop().unwrap();
    let unfinished = data.with_extension("new");
    fs::rename(&data, &unfinished).unwrap();
    assert_eq!(scratch.server.status().unwrap(), Status::Absent);
    assert_eq!(scratch.start().data, data);
    assert!(!unfinished.exists());
}

#[test]
fn data_of_another_version_is_refused_and_left_alone() {
    let scratch = Scratch::new("old");
    let data = scratch.start().data;
    scratch.server.stop().unwrap();
    fs::write(data.join("PG_VERSION"), "9.6\n").unwrap();
    let refusal = scratch.server.start(StartOptions::default()).unwrap_err();
    assert!(matches!(refusal, LocalError::OtherMajorVersion { .. }), "{refusal}");
    assert!(data.join("base").is_dir());
}

#[test]
fn lost_socket_is_named_with_the_way_out() {
    let scratch = Scratch::new("swept");
    let running = scratch.start();
    fs::remove_file(running.socket_directory.join(".s.PGSQL.5432")).unwrap();
    let refusal = scratch.server.start(StartOptions::default()).unwrap_err();
    assert!(matches!(refusal, LocalError::SocketGone { .. }), "{refusal}");
    assert!(scratch.server.stop().unwrap());
    scratch.start();
}

#[test]
fn two_starts_at_once_make_one_server() {
    let scratch = Scratch::new("race");
    let started: Vec<Running> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| scratch.start())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(started[0], started[1]);
    assert_eq!(started[0], started[2]);
}
