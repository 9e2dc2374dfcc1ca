//! The sample's weekly charts: tracks enter, rise, fall, are forgotten, and now and then come back.
//!
//! All in whole numbers: floating-point functions differ in their last digit between systems, and ranks would with them.

use std::cmp::Reverse;

use super::random::Random;

/// Ranks in a chart, at most.
const CHART_LENGTH: usize = 50;

/// Weeks before the first snapshot in which tracks may have appeared already, so that the first chart is not empty.
const WEEKS_BEFORE: usize = 10;

/// The time ranges, and how many weeks of listening each looks back.
pub(super) const TIME_RANGES: [(&str, usize); 3] =
    [("short_term", 4), ("medium_term", 26), ("long_term", 52)];

/// A place in a chart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// The track's index, in the order of debut.
    pub(super) track: usize,
    /// The week, counted from the first snapshot.
    pub(super) week: usize,
    pub(super) time_range: &'static str,
    /// From 1 up.
    pub(super) rank: usize,
}

/// Makes every chart of every week, in the order of week, time range and rank. Tracks appear in the order of their index.
pub(super) fn places(tracks: usize, weeks: usize, random: &mut Random) -> Vec<Place> {
    let all_weeks = weeks + WEEKS_BEFORE;
    // Listening up to each week, so that any span of weeks is one subtraction.
    let totals: Vec<Vec<u64>> = (0..tracks)
        .map(|track| {
            let debut = track * all_weeks / tracks.max(1);
            running_sum(&listening(all_weeks.saturating_sub(debut), random), debut)
        })
        .collect();

    let mut places = Vec::new();
    for week in 0..weeks {
        for (time_range, span) in TIME_RANGES {
            let end = week + WEEKS_BEFORE + 1;
            let mut chart: Vec<(Reverse<u64>, usize)> = totals
                .iter()
                .enumerate()
                .map(|(track, total)| (Reverse(total[end] - total[end.saturating_sub(span)]), track))
                .filter(|(Reverse(plays), _)| *plays > 0)
                .collect();
            chart.sort_unstable();
            places.extend(chart.iter().take(CHART_LENGTH).zip(1..).map(|(&(_, track), rank)| Place {
                track,
                week,
                time_range,
                rank,
            }));
        }
    }
    places
}

/// How often a track is played in each of its weeks: a rise of a few weeks, then a decline, perhaps a second spring.
fn listening(weeks: usize, random: &mut Random) -> Vec<u64> {
    let height = match random.below(100) {
        0..=4 => random.between(6_000, 9_000),
        5..=29 => random.between(3_000, 6_000),
        _ => random.between(1_200, 3_000),
    };
    let rise = random.between(1, 3);
    // What is left a week later, in sixteenths. A few are loved for long.
    let kept = if random.percent(4) { 15 } else { random.between(7, 12) };
    let revival = if random.percent(8) { random.between(20, 50) } else { u64::MAX };

    let mut level = 0;
    (0..weeks as u64)
        .map(|age| {
            level = match age {
                _ if age < rise => height * (age + 1) / rise,
                _ if age == revival => height * 3 / 4,
                _ => level * kept / 16,
            };
            level * random.between(85, 115) / 100
        })
        .collect()
}

/// The sums up to each week, from before the first; weeks before the debut have no listening.
fn running_sum(listening: &[u64], debut: usize) -> Vec<u64> {
    let mut sums = vec![0; debut + 1];
    let mut sum = 0;
    sums.extend(listening.iter().map(|plays| {
        sum += plays;
        sum
    }));
    sums
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ranks_of_a_chart_count_up_from_one_without_a_track_twice() {
        let places = places(300, 30, &mut Random::new(3));
        for week in 0..30 {
            for (time_range, _) in TIME_RANGES {
                let chart: Vec<_> = places
                    .iter()
                    .filter(|place| place.week == week && place.time_range == time_range)
                    .collect();
                assert!(chart.iter().map(|place| place.rank).eq(1..=chart.len()), "{week} {time_range}");
                let tracks: HashSet<_> = chart.iter().map(|place| place.track).collect();
                assert_eq!(tracks.len(), chart.len(), "{week} {time_range}");
            }
        }
    }

    #[test]
    fn few_tracks_and_none_make_short_charts() {
        assert!(places(0, 10, &mut Random::new(3)).is_empty());
        assert!(places(5, 10, &mut Random::new(3)).iter().all(|place| place.rank <= 5));
    }
}
