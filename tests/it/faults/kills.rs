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

/// Kills a run after this long; gives whether it was still at work.
async fn kill_after(way: &Way, moment: Duration) -> bool {
    let begun = Instant::now();
    let mut child = way.command("apply", &["--yes"]).spawn().unwrap();
    tokio::time::sleep(moment.saturating_sub(begun.elapsed())).await;
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().ok();
    let ended = child.wait_with_output().unwrap();
    if !at_work {
        Outcome::of("apply", ended).ends_with(0);
    }
    at_work
}

/// When the stages of an undisturbed run end: pre-data, data, post-data.
async fn ends_of_stages(way: &Way) -> [Duration; 3] {
    let begun = Instant::now();
    let mut child = way.command("apply", &["--yes"]).spawn().unwrap();
    let mut ends = [Duration::ZERO; 3];
    while child.try_wait().unwrap().is_none() {
        let now = begun.elapsed();
        match stage(way).await.as_str() {
            "pre-data" => ends[0] = now,
            "data" => ends[1] = now,
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Outcome::of("apply", child.wait_with_output().unwrap()).succeeds();
    ends[2] = begun.elapsed();
    [ends[0], ends[1].max(ends[0]), ends[2]]
}

/// A moment in one stage after the other, with the seams between them.
fn moment(ends: &[Duration; 3], kill: u64, random: &mut Random) -> Duration {
    let at = (kill % 3) as usize;
    let begin = at.checked_sub(1).map_or(Duration::ZERO, |before| ends[before]);
    begin + random.part_of(ends[at] - begin)
}

/// Draws so many kills, several for one target; after each series the run goes through, and the target is what it is
/// where nobody kills anything.
async fn draw(test: &str, kills: u64) {
    let mut random = Random::drawn(test);
    let calm = way().await;
    let ends = ends_of_stages(&calm).await;
    is_proven(&calm);
    let expected = calm.target.value(CATALOGUE).await.unwrap();
    let mut made = 0;
    let mut stages: BTreeMap<String, u64> = BTreeMap::new();
    let mut targets = 0;
    while made < kills {
        targets += 1;
        let way = way().await;
        loop {
            if kill_after(&way, moment(&ends, made, &mut random)).await {
                made += 1;
                *stages.entry(stage(&way).await).or_default() += 1;
            }
            if made >= kills || random.below(3) == 0 {
                break;
            }
        }
        way.run("apply", &["--yes"]).ends_with(0);
        is_proven(&way);
        let found = way.target.value(CATALOGUE).await.unwrap();
        assert_eq!(found, expected, "an object is left over, or missing");
        wait_for(&way, AT_REST).await;
    }
    tell(&format!("{test}: {made} kills on {targets} targets, over {ends:?} each: {stages:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_goes_on() {
    draw("killed_anywhere_it_goes_on", 5).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a long draw: script/test --faults"]
async fn faults_killed_anywhere_it_goes_on() {
    draw("faults_killed_anywhere_it_goes_on", 100).await;
}
