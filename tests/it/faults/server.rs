//! The server stopped at once and started again, and single sessions of it killed, at random moments. Each test has a
//! server of its own.

use std::{
    process::{Child, Command},
    time::{Duration, Instant},
};

use mtm::local::Running;
use sqlx::Connection;

use super::{CATALOGUE, MAPPING, Random, SOURCE, is_proven, tell, wait_for};
use crate::{
    command::{Outcome, Way, Workplace},
    local::Scratch,
    support::TestDatabase,
};

/// What happens to the server.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// SIGQUIT to the postmaster, and a new start: a crash recovery, as after a power cut.
    Restart,
    /// SIGKILL to one session's process: the server ends all the others, and recovers.
    Crash,
    /// `pg_terminate_backend` of one session.
    End,
}

/// A server, and ways into databases of it.
struct Stage {
    scratch: Scratch,
    running: Running,
    made: u32,
}

impl Stage {
    fn new() -> Stage {
        let scratch = Scratch::new("server");
        let running = scratch.start();
        Stage { scratch, running, made: 0 }
    }

    async fn way(&mut self) -> Way {
        self.made += 1;
        let database = format!("way_{}", self.made);
        self.running.ensure_database(&database).await.unwrap();
        let place = Workplace::new();
        let source = place.sqlite("source.db", &SOURCE.replace("i < 36", "i < 20"));
        place.write("mappings/types.yaml", MAPPING);
        Way { place, source, target: TestDatabase::of(self.running.url(&database)) }
    }

    fn signal(signal: &str, pid: impl ToString) {
        // The process may be gone by now.
        Command::new("kill").args([signal, &pid.to_string()]).output().unwrap();
    }

    /// One of the run's sessions that is at work, or any.
    async fn session(&self, way: &Way) -> Option<String> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'mtm' AND datname = current_database() \
                   ORDER BY state = 'active' DESC, random() LIMIT 1";
        way.target.value(&format!("SELECT ({sql})")).await
    }

    async fn fault(&mut self, way: &Way, fault: Fault) {
        match fault {
            Fault::Restart => {
                Stage::signal("-QUIT", self.running.pid);
                let deadline = Instant::now() + Duration::from_secs(20);
                while std::path::Path::new(&format!("/proc/{}", self.running.pid)).exists() {
                    assert!(Instant::now() < deadline, "the server does not stop");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                self.running = self.scratch.start();
            }
            Fault::Crash => {
                if let Some(pid) = self.session(way).await {
                    Stage::signal("-KILL", pid);
                }
                self.is_back(way).await;
            }
            Fault::End => {
                if let Some(pid) = self.session(way).await {
                    way.target.value(&format!("SELECT pg_terminate_backend({pid})")).await;
                }
            }
        }
    }

    /// Waits until the server takes connections again.
    async fn is_back(&self, way: &Way) {
        for _ in 0..1000 {
            if sqlx::PgConnection::connect(&way.target.url).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server does not come back");
    }
}

fn start(way: &Way) -> Child {
    way.command("apply", &["--yes", "--jobs", "2"]).spawn().unwrap()
}

async fn ended(child: Child) -> Outcome {
    tokio::task::spawn_blocking(|| Outcome::of("apply", child.wait_with_output().unwrap())).await.unwrap()
}

/// Draws so many faults, one a run.
async fn draw(test: &str, faults: u64) {
    let mut random = Random::drawn(test);
    let mut stage = Stage::new();
    let calm = stage.way().await;
    let begun = Instant::now();
    ended(start(&calm)).await.ends_with(0);
    let length = begun.elapsed();
    is_proven(&calm);
    let expected = calm.target.value(CATALOGUE).await.unwrap();
    let mut survived = 0;
    let first = random.below(3);
    for number in first..first + faults {
        let fault = [Fault::Restart, Fault::Crash, Fault::End][(number % 3) as usize];
        let way = stage.way().await;
        let moment = random.part_of(length);
        let child = start(&way);
        tokio::time::sleep(moment).await;
        stage.fault(&way, fault).await;
        let outcome = ended(child).await;
        if outcome.code == Some(0) {
            survived += 1;
        } else {
            let said = ["connection", "server"];
            assert!(said.iter().any(|said| outcome.stderr.contains(said)), "{fault:?}: {}", outcome.stderr);
            outcome.ends_with(1);
        }
        way.run("apply", &["--yes"]).ends_with(0);
        is_proven(&way);
        let found = way.target.value(CATALOGUE).await.unwrap();
        assert_eq!(found, expected, "{fault:?}: an object is left over, or missing");
    }
    tell(&format!("{test}: {faults} faults over {length:?}, {survived} survived, the others went on"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a long draw: script/test --faults"]
async fn faults_server_that_goes_and_comes() {
    draw("faults_server_that_goes_and_comes", 21).await;
}

/// The moment is not drawn: in the middle of the rows, where it is to be survived.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_goes_amid_the_rows_and_comes_again() {
    let mut stage = Stage::new();
    for fault in [Fault::Restart, Fault::Crash] {
        let way = stage.way().await;
        // The rows wait at a gate, so that nothing depends on how fast the machine is.
        let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap()]).succeeds().stdout;
        way.target.execute(&schema).await;
        way.target.execute(GATE).await;
        let child = start(&way);
        wait_for(&way, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')").await;
        stage.fault(&way, fault).await;
        let outcome = ended(child).await.ends_with(0);
        outcome.complains_of(&["the connection to the server was lost", "trying again (1 of 6)"]);
        way.target.execute("DROP TRIGGER gate ON covers; DROP FUNCTION take_time; DROP SEQUENCE times").await;
        is_proven(&way);
    }
}

/// A row that takes its time, once: a sequence does not go back with its transaction, and what it has given is logged
/// before it is given.
const GATE: &str = "CREATE SEQUENCE times; CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN IF nextval(''times'') = 1 THEN PERFORM pg_sleep(5); END IF; RETURN NEW; END'; \
    CREATE TRIGGER gate BEFORE INSERT ON covers FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION take_time()";
