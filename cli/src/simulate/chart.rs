//! Charts as inline SVG: lines and stacked bars over time. Colours come from the page's style sheet.

use std::fmt::Write;

/// A series: a name and a value for each point in time.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<f64>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 24.0;
/// More points than this cannot be told apart: of neighbours the largest is shown.
const POINTS: usize = 366;
/// How many colours there are; the last is for whatever comes after.
pub(super) const COLOURS: usize = 8;

/// One line a series.
pub(super) fn lines(title: &str, unit: &str, times: &[String], series: &[Series<'_>]) -> String {
    let (times, series) = thinned(times, series);
    let highest = series.iter().flat_map(|one| &one.values).copied().fold(0.0, f64::max);
    chart(title, unit, &times, &series, highest, |plot, svg| {
        for (n, one) in series.iter().enumerate() {
            let points = one.values.iter().enumerate();
            let points: Vec<String> =
                points.map(|(at, value)| format!("{:.1},{:.1}", plot.x(at), plot.y(*value))).collect();
            let _ = writeln!(svg, r#"<polyline class="line c{}" points="{}"/>"#, colour(n), points.join(" "));
        }
    })
}

/// The series stacked on each other, a bar for each point in time.
pub(super) fn bars(title: &str, unit: &str, times: &[String], series: &[Series<'_>]) -> String {
    let (times, series) = thinned(times, series);
    let sum = |at: usize| series.iter().filter_map(|one| one.values.get(at)).sum::<f64>();
    let highest = (0..times.len()).map(sum).fold(0.0, f64::max);
    chart(title, unit, &times, &series, highest, |plot, svg| {
        let wide = (plot.step() * 0.8).min(48.0);
        for (at, time) in times.iter().enumerate() {
            let mut below = 0.0;
            for (n, one) in series.iter().enumerate() {
                let value = one.values.get(at).copied().unwrap_or_default();
                if value <= 0.0 {
                    continue;
                }
                let (top, bottom) = (plot.y(below + value), plot.y(below));
                let (x, high) = (plot.x(at) - wide / 2.0, bottom - top);
                let _ = writeln!(
                    svg,
                    r#"<rect class="bar c{}" x="{x:.1}" y="{top:.1}" width="{wide:.1}" height="{high:.1}"><title>{time}: {} {} {unit}</title></rect>"#,
                    colour(n),
                    escaped(one.name),
                    short(value)
                );
                below += value;
            }
        }
    })
}

fn colour(n: usize) -> usize {
    n.min(COLOURS - 1)
}

/// Where points are in the picture.
struct Plot {
    points: usize,
    highest: f64,
}

impl Plot {
    fn step(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.points.max(1) as f64
    }

    fn x(&self, at: usize) -> f64 {
        LEFT + self.step() * (at as f64 + 0.5)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.highest * (HEIGHT - TOP - BOTTOM)
    }
}

fn chart(
    title: &str,
    unit: &str,
    times: &[String],
    series: &[Series<'_>],
    highest: f64,
    draw: impl FnOnce(&Plot, &mut String),
) -> String {
    let step = tick(highest);
    let plot = Plot { points: times.len(), highest: (highest / step).ceil().max(1.0) * step };
    let mut svg = format!(
        "<figure>\n<figcaption>{title} <span>({unit})</span></figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\">\n"
    );
    let mut value = 0.0;
    while value <= plot.highest + step / 2.0 {
        let y = plot.y(value);
        let (end, beside, middle) = (WIDTH - RIGHT, LEFT - 6.0, y + 4.0);
        let _ = writeln!(
            svg,
            r#"<line class="grid" x1="{LEFT}" x2="{end}" y1="{y:.1}" y2="{y:.1}"/><text class="left" x="{beside}" y="{middle:.1}">{}</text>"#,
            short(value)
        );
        value += step;
    }
    let every = times.len().div_ceil(8).max(1);
    for (at, time) in times.iter().enumerate().step_by(every) {
        let (x, y) = (plot.x(at), HEIGHT - 6.0);
        let _ = writeln!(svg, r#"<text class="below" x="{x:.1}" y="{y}">{time}</text>"#);
    }
    draw(&plot, &mut svg);
    svg += "</svg>\n";
    if series.len() > 1 {
        svg += "<p class=\"legend\">";
        for (n, one) in series.iter().enumerate() {
            let _ = write!(svg, r#"<span class="key c{}"></span>{} "#, colour(n), escaped(one.name));
        }
        svg += "</p>\n";
    }
    svg + "</figure>\n"
}

/// The distance of lines: 1, 2 or 5 times a power of ten, so that there are three to six of them.
fn tick(highest: f64) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf((highest / 4.0).log10().floor());
    let fits = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power);
    fits.into_iter().find(|step| highest / step <= 5.0).unwrap_or(10.0 * power)
}

/// A number as short as it can be told: `12k`, `3.5`, `0.02`.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        v if v >= 1e6 => (v / 1e6, "M"),
        v if v >= 1e4 => (v / 1e3, "k"),
        v => (v, ""),
    };
    let digits = if value >= 100.0 || value == 0.0 { 0 } else { 2 };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// No more than [`POINTS`], each the largest of those that it stands for.
fn thinned<'a>(times: &[String], series: &[Series<'a>]) -> (Vec<String>, Vec<Series<'a>>) {
    let of = times.len().div_ceil(POINTS).max(1);
    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let thin =
        |one: &Series<'a>| Series { name: one.name, values: one.values.chunks(of).map(largest).collect() };
    (times.iter().step_by(of).cloned().collect(), series.iter().map(thin).collect())
}

/// Text within HTML. Names come from outside and may hold anything.
pub(super) fn escaped(text: &str) -> String {
    let plain = crate::output::plain(text);
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_grid_are_round_numbers_and_few() {
        for (highest, step) in [(0.0, 1.0), (1.0, 0.2), (7.0, 2.0), (98.0, 20.0), (1234.0, 500.0)] {
            assert!((tick(highest) - step).abs() < 1e-9, "{highest}: {}", tick(highest));
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.0, 0.02, 3.5, 120.0, 9_999.0, 12_000.0, 3.25e6].map(short),
            ["0", "0.02", "3.5", "120", "9999", "12k", "3.25M"]
        );
    }

    #[test]
    fn of_more_points_than_can_be_told_apart_the_largest_are_shown() {
        let times: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        let values = (0..1_000).map(f64::from).collect();
        let (times, series) = thinned(&times, &[Series { name: "a", values }]);
        assert_eq!((times.len(), series[0].values.len()), (334, 334));
        assert_eq!((times[1].as_str(), series[0].values[1]), ("3", 5.0));
    }

    #[test]
    fn a_name_cannot_end_the_element_that_it_is_in() {
        assert_eq!(escaped("<script>&\"\u{202e}"), "&lt;script&gt;&amp;&quot;\\u{202e}");
    }
}
