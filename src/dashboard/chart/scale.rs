//! The axis of values: from nought to a round number, in round steps.

/// The drawing's size in its own units. The page scales it.
pub(super) const WIDTH: f64 = 720.0;
pub(super) const HEIGHT: f64 = 260.0;
/// Room for the values' labels, and for the labels below.
pub(super) const LEFT: f64 = 52.0;
pub(super) const RIGHT: f64 = 12.0;
pub(super) const TOP: f64 = 12.0;
pub(super) const BOTTOM: f64 = 34.0;

/// What a letter of a label takes, and what lies between two labels.
const LETTER: f64 = 7.2;
const BETWEEN: f64 = 14.0;

/// A line across the drawing, with its value.
pub(super) struct Tick {
    pub(super) y: String,
    pub(super) label: String,
}

/// From values to heights.
pub(super) struct Scale {
    /// The value at the bottom, and the one at the top.
    bottom: f64,
    top: f64,
    step: f64,
    decimals: usize,
}

impl Scale {
    /// From nought to a round number that is not below `highest`.
    pub(super) fn up_to(highest: f64) -> Scale {
        let rough = (highest.max(1e-9) / 4.0).max(f64::MIN_POSITIVE);
        let magnitude = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|of| of * magnitude).find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * magnitude);
        let decimals =
            if step >= 1.0 && step.fract() == 0.0 { 0 } else { 1 + (-magnitude.log10()).max(0.0) as usize };
        Scale { bottom: 0.0, top: (highest / step).ceil().max(1.0) * step, step, decimals }
    }

    /// From `lowest` at the bottom to 1 at the top: ranks, of which the first is the best.
    pub(super) fn ranks(lowest: f64) -> Scale {
        let step = Scale::up_to(lowest).step.max(1.0).ceil();
        Scale { bottom: lowest.max(2.0), top: 1.0, step, decimals: 0 }
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value - self.bottom) / (self.top - self.bottom);
        HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    }

    pub(super) fn ticks(&self) -> Vec<Tick> {
        let (low, high) = (self.bottom.min(self.top), self.bottom.max(self.top));
        let first = (low / self.step).ceil() as i64;
        let last = (high / self.step).floor() as i64;
        let of_steps = (first..=last).map(|number| number as f64 * self.step);
        // The best rank is 1, which is no multiple of the step.
        let one = (self.top < self.bottom && self.step > 1.0).then_some(1.0);
        let tick =
            |value: f64| Tick { y: coordinate(self.y(value)), label: format!("{value:.*}", self.decimals) };
        one.into_iter().chain(of_steps).map(tick).collect()
    }
}

/// A coordinate as SVG has it: a tenth of a unit is finer than anybody sees.
pub(super) fn coordinate(value: f64) -> String {
    format!("{value:.1}")
}

/// Which labels below are written, and where: as many as have room beside one another, the last among them, and each within
/// the drawing.
pub(super) struct Labels {
    count: usize,
    every: usize,
    longest: f64,
}

impl Labels {
    pub(super) fn new<'a>(labels: impl IntoIterator<Item = &'a str>) -> Labels {
        let lengths: Vec<usize> = labels.into_iter().map(|label| label.chars().count()).collect();
        let longest = lengths.iter().max().copied().unwrap_or(0) as f64 * LETTER;
        let most = ((WIDTH - LEFT - RIGHT) / (longest + BETWEEN)).max(1.0) as usize;
        Labels { count: lengths.len(), every: lengths.len().div_ceil(most).max(1), longest }
    }

    pub(super) fn is_written(&self, at: usize) -> bool {
        (self.count - 1 - at).is_multiple_of(self.every)
    }

    /// The middle of a label that belongs to this place.
    pub(super) fn middle(&self, x: f64) -> String {
        coordinate(x.min(WIDTH - 4.0 - self.longest / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn round_steps_up_to_the_highest() {
        assert_eq!(labels(&Scale::up_to(97.0)), ["0", "25", "50", "75", "100"]);
        assert_eq!(labels(&Scale::up_to(1.0)), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(&Scale::up_to(3.0)), ["0", "1", "2", "3"]);
        assert_eq!(labels(&Scale::up_to(0.0)).len(), 2);
    }

    #[test]
    fn the_best_rank_is_at_the_top() {
        let scale = Scale::ranks(50.0);
        assert_eq!(labels(&scale), ["1", "20", "40"]);
        assert!(scale.y(1.0) < scale.y(50.0));
        assert!((scale.y(1.0) - TOP).abs() < 0.01);
    }

    #[test]
    fn labels_do_not_crowd() {
        for count in 1..200 {
            let labels = Labels::new(vec!["2026-11-20"; count]);
            let written = (0..count).filter(|at| labels.is_written(*at)).count();
            assert!((1..=7).contains(&written), "{written} of {count}");
            assert!(labels.is_written(count - 1));
        }
        let years = Labels::new(["2019"; 10]);
        assert!((0..10).all(|at| years.is_written(at)));
        assert_eq!(Labels::new(["2026-11-20"]).middle(WIDTH), "680.0");
    }
}
