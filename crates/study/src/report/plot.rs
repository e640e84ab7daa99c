//! Two plots: grouped bars, and lines or steps over one axis.

use std::fmt::Write as _;

use super::messages::{escape, pair};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 48.0;

/// Okabe and Ito's palette, distinct for colour-blind readers.
const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8f98"];

/// Bars in groups: one group per name, one bar per series.
#[derive(Clone, Debug)]
pub struct Bars {
    /// The keys of the names under the groups.
    pub groups: Vec<String>,
    /// The key of each series' label, and its value in each group.
    pub series: Vec<(String, Vec<f64>)>,
    /// The key of the label of the value axis.
    pub y_label: String,
}

/// How the points of a line are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// By straight lines.
    Straight,
    /// By straight dashed lines.
    Dashed,
    /// Level first, then up or down: a curve of supply or demand.
    Steps,
    /// Not joined.
    Dots,
}

/// A line.
#[derive(Clone, Debug)]
pub struct Line {
    /// The key of its label.
    pub label: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// How they are joined.
    pub shape: Shape,
}

/// Lines over one axis.
#[derive(Clone, Debug)]
pub struct LinePlot {
    /// The lines.
    pub lines: Vec<Line>,
    /// The key of the label of the horizontal axis.
    pub x_label: String,
    /// The key of the label of the vertical axis.
    pub y_label: String,
    /// Whether the vertical axis must show zero.
    pub from_zero: bool,
}

/// Maps values to the picture.
#[derive(Clone, Copy, Debug)]
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn x(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - (y - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - TOP - BOTTOM)
    }
}

impl Bars {
    /// The plot as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let top = self.series.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
        let axes = Axes { x: (0.0, count(self.groups.len()).max(1.0)), y: (0.0, ceiling(top)) };
        let mut svg = open();
        value_axis(&mut svg, axes, &self.y_label);
        let width = 0.8 / count(self.series.len()).max(1.0);
        for (group, name) in self.groups.iter().enumerate() {
            let middle = axes.x(count(group) + 0.5);
            label(&mut svg, (middle, HEIGHT - BOTTOM + 18.0), "middle", name);
            for (series, (key, values)) in self.series.iter().enumerate() {
                let value = values.get(group).copied().unwrap_or(0.0);
                let left = axes.x(count(group) + 0.1 + width * count(series));
                let right = axes.x(count(group) + 0.1 + width * (count(series) + 1.0));
                let (y, height) = (axes.y(value), axes.y(0.0) - axes.y(value));
                let _infallible = write!(
                    svg,
                    "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" \
                     fill=\"{}\"><title>{} {} {value:.2}</title></rect>",
                    right - left - 1.0,
                    colour(series),
                    escape(name),
                    escape(&pair(key).1),
                );
            }
        }
        legend(&mut svg, self.series.iter().map(|(label, _)| label.as_str()));
        svg.push_str("</svg>");
        svg
    }
}

impl LinePlot {
    /// The plot as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = bounds(points().map(|point| point.0));
        let mut y = bounds(points().map(|point| point.1));
        if self.from_zero {
            y = (y.0.min(0.0), y.1.max(0.0));
        }
        let step = tick_step(y.1 - y.0);
        let axes = Axes { x, y: ((y.0 / step).floor() * step, (y.1 / step).ceil() * step) };
        let mut svg = open();
        value_axis(&mut svg, axes, &self.y_label);
        for tick in ticks(axes.x) {
            text(&mut svg, (axes.x(tick), HEIGHT - BOTTOM + 18.0), "middle", &number(tick));
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        label(&mut svg, (middle, HEIGHT - 8.0), "middle", &self.x_label);
        for (index, line) in self.lines.iter().enumerate() {
            draw(&mut svg, axes, line, colour(index));
        }
        legend(&mut svg, self.lines.iter().map(|line| line.label.as_str()));
        svg.push_str("</svg>");
        svg
    }
}

fn draw(svg: &mut String, axes: Axes, line: &Line, colour: &str) {
    if line.shape == Shape::Dots {
        for (x, y) in &line.points {
            let (x, y) = (axes.x(*x), axes.y(*y));
            let _infallible =
                write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>");
        }
        return;
    }
    let mut path = String::new();
    for (index, (x, y)) in line.points.iter().enumerate() {
        let (x, y) = (axes.x(*x), axes.y(*y));
        let _infallible = match (index, line.shape) {
            (0, _) => write!(path, "M{x:.1} {y:.1}"),
            (_, Shape::Steps) => write!(path, "V{y:.1}H{x:.1}"),
            (_, Shape::Straight | Shape::Dashed | Shape::Dots) => write!(path, "L{x:.1} {y:.1}"),
        };
    }
    let dash = if line.shape == Shape::Dashed { " stroke-dasharray=\"6 4\"" } else { "" };
    let _infallible = write!(
        svg,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>"
    );
}

fn open() -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">"
    )
}

fn value_axis(svg: &mut String, axes: Axes, key: &str) {
    for tick in ticks(axes.y) {
        let y = axes.y(tick);
        let _infallible = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            WIDTH - RIGHT
        );
        text(svg, (LEFT - 6.0, y + 4.0), "end", &number(tick));
    }
    label(svg, (4.0, TOP - 12.0), "start", key);
}

fn legend<'a>(svg: &mut String, labels: impl Iterator<Item = &'a str>) {
    let mut x = LEFT;
    for (index, key) in labels.enumerate() {
        let _infallible = write!(
            svg,
            "<rect x=\"{x:.0}\" y=\"4\" width=\"12\" height=\"12\" fill=\"{}\"/>",
            colour(index)
        );
        label(svg, (x + 16.0, 14.0), "start", key);
        let (zh, en) = pair(key);
        // Ideographs are about twice as wide as letters.
        x += 34.0 + 6.6 * count(en.chars().count().max(2 * zh.chars().count()));
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, content: &str) {
    let content = escape(content);
    let _infallible =
        write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>");
}

/// A text in both languages, of which the page shows one.
fn label(svg: &mut String, (x, y): (f64, f64), anchor: &str, key: &str) {
    let (zh, en) = pair(key);
    if zh == en {
        return text(svg, (x, y), anchor, &zh);
    }
    for (lang, content) in [("zh", zh), ("en", en)] {
        let content = escape(&content);
        let _infallible = write!(
            svg,
            "<text lang=\"{lang}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>"
        );
    }
}

const fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (lo, hi) =
        values.fold((f64::MAX, f64::MIN), |(lo, hi), value| (lo.min(value), hi.max(value)));
    if lo < hi {
        (lo, hi)
    } else if lo == hi {
        (lo - 1.0, hi + 1.0)
    } else {
        (0.0, 1.0)
    }
}

/// The next tick at or above `value`.
fn ceiling(value: f64) -> f64 {
    let step = tick_step(value);
    ((value / step).ceil() * step).max(step)
}

/// A step of 1, 2 or 5 times a power of ten that gives about six ticks.
fn tick_step(range: f64) -> f64 {
    let raw = (range / 6.0).max(1e-9);
    let power = 10.0_f64.powf(raw.log10().floor());
    let factor = raw / power;
    power
        * if factor <= 1.0 {
            1.0
        } else if factor <= 2.0 {
            2.0
        } else if factor <= 5.0 {
            5.0
        } else {
            10.0
        }
}

fn ticks((lo, hi): (f64, f64)) -> Vec<f64> {
    let step = tick_step(hi - lo);
    let first = (lo / step).ceil();
    (0..40).map(|n| (first + f64::from(n)) * step).take_while(|x| *x <= hi + step * 1e-6).collect()
}

fn number(x: f64) -> String {
    let rounded = (x * 1e6).round() / 1e6;
    // No "-0" on an axis.
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

#[expect(clippy::cast_precision_loss, reason = "a count of bars or letters")]
const fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        assert_eq!(ticks((0.0, 130.0)), [0.0, 50.0, 100.0]);
        assert_eq!(ticks((0.0, 120.0)), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0]);
        assert_eq!(number(-0.0), "0");
    }

    #[test]
    fn a_plot_of_nothing_is_still_a_picture() {
        let plot = LinePlot {
            lines: Vec::new(),
            x_label: "x".to_owned(),
            y_label: "y".to_owned(),
            from_zero: true,
        };
        assert!(plot.svg().ends_with("</svg>") && !plot.svg().contains("NaN"));
        let bars = Bars { groups: Vec::new(), series: Vec::new(), y_label: "y".to_owned() };
        assert!(!bars.svg().contains("NaN"));
    }
}
