//! The target's disk is full: a tablespace on a small file system. Needs root, and a kernel that lets it mount.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
};

use super::{is_proven, tell};
use crate::command::Way;

/// A small file system of its own; unmounted when the test ends.
struct Tablespace {
    folder: PathBuf,
    name: String,
    url: String,
}

impl Tablespace {
    /// `None`: not as this user, or not on this machine.
    fn mount(megabytes: u32, server_account: (u32, u32), name: &str, url: &str) -> Option<Tablespace> {
        let folder = PathBuf::from(format!("/var/tmp/{name}"));
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={megabytes}m");
        if !run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", folder.to_str().unwrap()]) {
            fs::remove_dir(&folder).ok();
            return None;
        }
        let tablespace = Tablespace { folder, name: name.to_owned(), url: url.to_owned() };
        let data = tablespace.folder.join("data");
        fs::create_dir(&data).unwrap();
        for path in [&tablespace.folder, &data] {
            chown(path, Some(server_account.0), Some(server_account.1)).unwrap();
        }
        Some(tablespace)
    }

    fn resize(&self, megabytes: u32) {
        let size = format!("remount,size={megabytes}m");
        assert!(run("mount", &["-o", &size, self.folder.to_str().unwrap()]));
    }
}

impl Drop for Tablespace {
    fn drop(&mut self) {
        let (name, url) = (self.name.clone(), self.url.clone());
        // A thread of its own: the test's runtime may be the one that is dropping.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                use sqlx::{AssertSqlSafe, Connection, Executor};
                if let Ok(mut connection) = sqlx::PgConnection::connect(&url).await {
                    connection.execute("DROP SCHEMA IF EXISTS public CASCADE").await.ok();
                    connection.execute(AssertSqlSafe(format!("DROP TABLESPACE IF EXISTS {name}"))).await.ok();
                }
            });
        });
        dropped.join().ok();
        // The server may have a file open for a moment; a lazy unmount waits for that.
        run("umount", &["--lazy", self.folder.to_str().unwrap()]);
        fs::remove_dir(&self.folder).ok();
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Who owns the server's data, where this machine can see it.
fn owner(data: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = data.metadata().ok()?;
    Some((metadata.uid(), metadata.gid()))
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_stops_the_run_and_room_lets_it_go_on() {
    let way = Way::from_sql(
        "CREATE TABLE noise (id INTEGER PRIMARY KEY, v BLOB); \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO noise SELECT i, randomblob(1000000) FROM n;",
    )
    .await;
    let name = format!("mtm_small_{}", std::process::id());
    let data = way.target.value("SELECT current_setting('data_directory')").await.unwrap();
    let mounted =
        owner(Path::new(&data)).and_then(|owner| Tablespace::mount(30, owner, &name, &way.target.url));
    let Some(tablespace) = mounted else {
        return tell(
            "SKIPPED: full_disk_stops_the_run_and_room_lets_it_go_on needs root, and the right to mount",
        );
    };
    let path = tablespace.folder.join("data");
    way.target.execute(&format!("CREATE TABLESPACE {name} LOCATION '{}'", path.display())).await;
    way.target
        .execute(&format!("ALTER DATABASE {} SET default_tablespace = '{name}'", way.target.name))
        .await;
    let stopped = way.run("apply", &["--yes", "--jobs", "1"]).ends_with(1);
    stopped.complains_of(&[
        "table noise could not be copied",
        "No space left on device",
        "SQLSTATE 53100",
        "make room on the server's disk",
        "the same command goes on from there",
    ]);
    // The first chunk is there, and stays.
    way.holds(&[("SELECT count(*) > 0 AND count(*) < 40 FROM noise", "true")]).await;
    // As full as before: the same word, and no harm.
    way.run("apply", &["--yes", "--jobs", "1"]).ends_with(1).complains_of(&["SQLSTATE 53100"]);
    tablespace.resize(200);
    way.run("apply", &["--yes"]).ends_with(0).says(&["noise 40 rows"]);
    is_proven(&way);
    way.target.execute(&format!("ALTER DATABASE {} RESET default_tablespace", way.target.name)).await;
}
