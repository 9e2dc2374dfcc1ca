//! The network between `mtm` and the server: slow, cut, dead.

use std::{process::Child, time::Duration};

use super::{
    Random, is_proven,
    proxy::{Fault, Proxy},
    smaller_way, tell,
};
use crate::command::{Outcome, Way};

/// A way whose network is the proxy's; proofs go to the server itself.
async fn by_proxy() -> (Way, Proxy) {
    (smaller_way().await, Proxy::start().await)
}

fn start(way: &Way, proxy: &Proxy) -> Child {
    let url = proxy.url(&way.target.name);
    let source = way.source.to_str().unwrap();
    let arguments =
        ["apply", "--source", source, "--target", &url, "--yes", "--jobs", "2", "--network-timeout", "300ms"];
    way.place.command(&arguments).spawn().unwrap()
}

async fn ended(child: Child) -> Outcome {
    tokio::task::spawn_blocking(|| Outcome::of("apply", child.wait_with_output().unwrap())).await.unwrap()
}

/// Bytes that the client sends in an undisturbed run: the rows above all.
async fn bytes_of_a_run() -> u64 {
    let (way, proxy) = by_proxy().await;
    ended(start(&way, &proxy)).await.ends_with(0);
    is_proven(&way);
    proxy.sent()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_network_is_waited_for() {
    let (way, proxy) = by_proxy().await;
    proxy.delay(Duration::from_millis(1));
    ended(start(&way, &proxy)).await.ends_with(0);
    is_proven(&way);
}

/// Lets the fault come at a random byte, and gives how the run ended: done, or stopped with a word about it.
async fn disturbed(bytes: u64, fault: &Fault) -> Outcome {
    let (way, proxy) = by_proxy().await;
    proxy.after(bytes, fault);
    let outcome = ended(start(&way, &proxy)).await;
    assert_eq!(proxy.times(), 1, "nothing has happened");
    proxy.heal();
    if outcome.code != Some(0) {
        let stopped = outcome.ends_with(1).complains_of(&["the connection to the server was lost"]);
        ended(start(&way, &proxy)).await.ends_with(0);
        is_proven(&way);
        return stopped;
    }
    is_proven(&way);
    outcome
}

async fn draw(test: &str, fault: Fault, times: u64) {
    let mut random = Random::drawn(test);
    let bytes = bytes_of_a_run().await;
    let mut survived = 0;
    for _ in 0..times {
        // Not the very last bytes: nothing would happen.
        let outcome = disturbed(random.below(bytes * 9 / 10), &fault).await;
        survived += u64::from(outcome.code == Some(0));
    }
    tell(&format!("{test}: {times} of {bytes} bytes, {survived} survived, the others went on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_are_opened_anew() {
    draw("cut_connections_are_opened_anew", Fault::Cut, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a long draw: script/test --faults"]
async fn faults_cut_connections_are_opened_anew() {
    draw("faults_cut_connections_are_opened_anew", Fault::Cut, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_stand_still_are_given_up() {
    let (way, proxy) = by_proxy().await;
    // In the middle of the rows.
    proxy.after(8_000_000, &Fault::Stall);
    let done = ended(start(&way, &proxy)).await.ends_with(0);
    done.complains_of(&["table ", "while the server waits for us", "trying again (1 of 6)"]);
    is_proven(&way);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a long draw: script/test --faults"]
async fn faults_connections_that_stand_still_are_given_up() {
    draw("faults_connections_that_stand_still_are_given_up", Fault::Stall, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "patience takes its time: script/test --faults"]
async fn faults_dead_network_that_comes_back_is_survived() {
    let (way, proxy) = by_proxy().await;
    proxy.after(8_000_000, &Fault::Death);
    let child = start(&way, &proxy);
    proxy.happened().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    proxy.heal();
    ended(child).await.ends_with(0).complains_of(&["table ", "trying again"]);
    is_proven(&way);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "patience takes its time: script/test --faults"]
async fn faults_dead_network_ends_the_run_with_a_word() {
    let (way, proxy) = by_proxy().await;
    proxy.after(8_000_000, &Fault::Death);
    let stopped = ended(start(&way, &proxy)).await.ends_with(1);
    stopped.complains_of(&[
        "was given up after 6 more tries",
        "did not answer",
        "the same command goes on from there",
    ]);
    proxy.heal();
    // The server does not know yet that nobody is there: until its keepalive finds out, the lock is held, as it is said how to end it.
    let held = ended(start(&way, &proxy)).await.ends_with(3);
    held.complains_of(&["another run holds the lock", "SELECT pg_terminate_backend("]);
    way.target
        .execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = x'006d746d'::int AND granted \
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
        .await;
    ended(start(&way, &proxy)).await.ends_with(0);
    is_proven(&way);
}

/// A statement that works for long is not a network that is dead.
#[tokio::test(flavor = "multi_thread")]
async fn busy_server_is_waited_for() {
    let (way, proxy) = by_proxy().await;
    way.target
        .execute(
            "CREATE FUNCTION take_time() RETURNS event_trigger LANGUAGE plpgsql AS \
             'BEGIN IF current_setting(''search_path'') NOT LIKE ''pg_temp%'' THEN PERFORM pg_sleep(1); END IF; END'; \
             CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION take_time()",
        )
        .await;
    let done = ended(start(&way, &proxy)).await.ends_with(0);
    assert!(!done.stderr.contains("trying again"), "{}", done.stderr);
    way.target.execute("DROP EVENT TRIGGER slow").await;
    is_proven(&way);
}
