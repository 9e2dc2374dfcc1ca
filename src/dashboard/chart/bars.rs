//! Upright bars, one a label.

use askama::Template;

use super::scale::{BOTTOM, HEIGHT, LEFT, Labels, RIGHT, Scale, TOP, Tick, WIDTH, coordinate};

/// A chart of bars.
#[derive(Template)]
#[template(path = "chart/bars.svg")]
pub(in crate::dashboard) struct Bars {
    /// What is shown, for those who do not see it.
    title: String,
    bars: Vec<Bar>,
    ticks: Vec<Tick>,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    label_y: f64,
}

struct Bar {
    label: String,
    /// The value in words.
    value: String,
    x: String,
    y: String,
    width: String,
    height: String,
    middle: String,
    labelled: bool,
}

impl Bars {
    /// Draws `(label, value)` from left to right. `unit` follows a value in words.
    pub(in crate::dashboard) fn new<'a>(
        title: impl Into<String>,
        unit: &str,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Bars {
        let values: Vec<(&str, f64)> = values.into_iter().collect();
        let scale = Scale::up_to(values.iter().map(|(_, value)| *value).fold(0.0, f64::max));
        let labels = Labels::new(values.iter().map(|(label, _)| *label));
        let room = (WIDTH - LEFT - RIGHT) / values.len().max(1) as f64;
        let floor = HEIGHT - BOTTOM;
        let bar = |(at, (label, value)): (usize, &(&str, f64))| {
            let (x, y) = (LEFT + room * (at as f64 + 0.12), scale.y(*value));
            Bar {
                label: (*label).to_owned(),
                value: format!("{value} {unit}").trim_end().to_owned(),
                x: coordinate(x),
                y: coordinate(y),
                width: coordinate(room * 0.76),
                height: coordinate((floor - y).max(0.0)),
                middle: labels.middle(x + room * 0.38),
                labelled: labels.is_written(at),
            }
        };
        Bars {
            title: title.into(),
            bars: values.iter().enumerate().map(bar).collect(),
            ticks: scale.ticks(),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            label_y: floor + (BOTTOM + TOP) / 2.0,
        }
    }
}
