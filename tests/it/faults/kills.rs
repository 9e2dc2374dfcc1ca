//! `mtm apply` killed (SIGKILL) at random moments over its whole length, again and again until it comes through.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{AT_REST, CATALOGUE, Random, is_proven, tell, wait_for, way};
use crate::command::{Outcome, Way};

/// How far a run had come when it was killed, as the target shows it.
const STAGE: &str = "SELECT CASE
    WHEN NOT EXISTS (SELECT FROM seaql_migrations) THEN 'pre-data'
    WHEN EXISTS (SELECT FROM seaql_migrations WHERE version ~ '__post$') THEN 'statistics'
    WHEN (SELECT count(*) FROM mtm.copied) < 5 THEN 'data'
    ELSE 'post-data' END";

/// Whether there is nothing yet that would show it.
const IS_EMPTY: &str = "SELECT to_regclass('mtm.copied') IS NULL OR to_regclass('seaql_migrations') IS NULL";

async fn stage(way: &Way) -> String {
    if way.target.value(IS_EMPTY).await.as_deref() == Some("true") {
        return "pre-data".to_owned();
    }
    way.target.value(STAGE).await.unwrap()
}

/// The stages, and how long each takes where nobody is in the way.
type Lengths = [(&'static str, Duration); 3];

/// Kills a run somewhere in a stage: this long after it has come there, by what the target shows. Gives whether it was
/// still at work.
async fn kill_in(way: &Way, stage_wanted: &str, after: Duration) -> bool {
    let mut child = way.command("apply", &["--yes"]).spawn().unwrap();
    if stage_wanted != "pre-data" {
        while stage(way).await != stage_wanted && child.try_wait().unwrap().is_none() {}
    }
    tokio::time::sleep(after).await;
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().ok();
    let ended = child.wait_with_output().unwrap();
    if !at_work {
        Outcome::of("apply", ended).ends_with(0);
    }
    at_work
}

async fn lengths(way: &Way) -> Lengths {
    let begun = Instant::now();
    let mut child = way.command("apply", &["--yes"]).spawn().unwrap();
    let (mut data, mut post_data) = (None, None);
    while child.try_wait().unwrap().is_none() {
        let now = begun.elapsed();
        match stage(way).await.as_str() {
            "data" => _ = data.get_or_insert(now),
            "post-data" => _ = post_data.get_or_insert(now),
            _ => {}
        }
    }
    Outcome::of("apply", child.wait_with_output().unwrap()).succeeds();
    let end = begun.elapsed();
    let post_data = post_data.unwrap_or(end);
    let data = data.unwrap_or(post_data);
    [("pre-data", data), ("data", post_data - data), ("post-data", end - post_data)]
}

/// Draws so many kills, several for one target; after each series the run goes through, and the target is what it is
/// where nobody kills anything.
async fn draw(test: &str, kills: u64) {
    let mut random = Random::drawn(test);
    let calm = way().await;
    let lengths = lengths(&calm).await;
    is_proven(&calm);
    let expected = calm.target.value(CATALOGUE).await.unwrap();
    let (mut made, mut attempts) = (0, 0);
    let mut stages: BTreeMap<String, u64> = BTreeMap::new();
    let mut targets = 0;
    while made < kills && attempts < 2 * kills {
        targets += 1;
        let way = way().await;
        loop {
            let (wanted, length) = lengths[attempts as usize % 3];
            attempts += 1;
            if kill_in(&way, wanted, random.part_of(length)).await {
                made += 1;
                *stages.entry(stage(&way).await).or_default() += 1;
            }
            if made >= kills || attempts % 3 == 0 {
                break;
            }
        }
        way.run("apply", &["--yes"]).ends_with(0);
        is_proven(&way);
        let found = way.target.value(CATALOGUE).await.unwrap();
        assert_eq!(found, expected, "an object is left over, or missing");
        wait_for(&way, AT_REST).await;
    }
    tell(&format!("{test}: {made} kills on {targets} targets, {lengths:?} each: {stages:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_goes_on() {
    draw("killed_anywhere_it_goes_on", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a long draw: script/test --faults"]
async fn faults_killed_anywhere_it_goes_on() {
    draw("faults_killed_anywhere_it_goes_on", 100).await;
}
