//! Lines over the same labels, one a series; a value that is missing leaves a gap.

use askama::Template;

use super::scale::{BOTTOM, HEIGHT, LEFT, Labels, RIGHT, Scale, TOP, Tick, WIDTH, coordinate};

/// A chart of lines.
#[derive(Template)]
#[template(path = "chart/lines.svg")]
pub(in crate::dashboard) struct Lines {
    /// What is shown, for those who do not see it.
    title: String,
    series: Vec<Series>,
    labels: Vec<Label>,
    ticks: Vec<Tick>,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    label_y: f64,
}

/// What a line is drawn from: a value a label, in their order.
pub(in crate::dashboard) struct Line {
    /// What it is called in the legend.
    pub(in crate::dashboard) name: String,
    pub(in crate::dashboard) values: Vec<Option<f64>>,
}

struct Series {
    name: String,
    number: usize,
    paths: Vec<String>,
    points: Vec<Point>,
}

struct Point {
    x: String,
    y: String,
    title: String,
}

struct Label {
    x: String,
    text: String,
}

impl Lines {
    /// Draws lines from nought upwards.
    pub(in crate::dashboard) fn new(
        title: impl Into<String>,
        unit: &str,
        labels: &[&str],
        lines: Vec<Line>,
    ) -> Lines {
        let highest = values(&lines).fold(0.0, f64::max);
        Lines::drawn(title.into(), unit, labels, lines, &Scale::up_to(highest))
    }

    /// Draws ranks, the first at the top.
    pub(in crate::dashboard) fn of_ranks(
        title: impl Into<String>,
        labels: &[&str],
        lines: Vec<Line>,
    ) -> Lines {
        let lowest = values(&lines).fold(1.0, f64::max);
        Lines::drawn(title.into(), "", labels, lines, &Scale::ranks(lowest))
    }

    fn drawn(title: String, unit: &str, labels: &[&str], lines: Vec<Line>, scale: &Scale) -> Lines {
        let step = (WIDTH - LEFT - RIGHT) / labels.len().max(2).saturating_sub(1) as f64;
        // A single label stands in the middle.
        let offset = if labels.len() == 1 { step / 2.0 } else { 0.0 };
        let x = |at: usize| LEFT + offset + step * at as f64;
        let series = |(number, line): (usize, Line)| {
            let mut paths: Vec<String> = Vec::new();
            let mut points = Vec::new();
            let mut open = false;
            for (at, value) in line.values.iter().enumerate() {
                let (Some(value), Some(label)) = (value, labels.get(at)) else {
                    open = false;
                    continue;
                };
                let (x, y) = (coordinate(x(at)), coordinate(scale.y(*value)));
                match paths.last_mut().filter(|_| open) {
                    Some(path) => *path += &format!(" L{x} {y}"),
                    None => paths.push(format!("M{x} {y}")),
                }
                open = true;
                let value = format!("{value} {unit}");
                points.push(Point { x, y, title: format!("{label}, {}: {}", line.name, value.trim_end()) });
            }
            Series { name: line.name, number, paths, points }
        };
        let below = Labels::new(labels.iter().copied());
        let written = labels.iter().enumerate().filter(|(at, _)| below.is_written(*at));
        Lines {
            title,
            series: lines.into_iter().enumerate().map(series).collect(),
            labels: written
                .map(|(at, label)| Label { x: below.middle(x(at)), text: (*label).to_owned() })
                .collect(),
            ticks: scale.ticks(),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            label_y: HEIGHT - BOTTOM + (BOTTOM + TOP) / 2.0,
        }
    }
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> + '_ {
    lines.iter().flat_map(|line| line.values.iter().flatten().copied())
}
