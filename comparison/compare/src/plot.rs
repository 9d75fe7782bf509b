//! The plots: figures against sizes, readers, processes or regions, one line for each way. Their colours can be told
//! from white and from black, for a page shows them on either.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::comparison::{Comparison, Manner, Variant};
use crate::comparisons::bytes;
use crate::figure::Figure;
use crate::report::Compared;
use crate::spread::Spread;

/// A plot; several comparisons may draw in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chart {
    OneWay,
    InPlace,
    Asleep,
    AtRest,
    Receiving,
    Crowded,
    Many,
}

/// Points of one way, from left to right.
struct Line {
    way: String,
    points: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (1020, 560);
/// Room for the names of the lines, at their right ends.
const NAMES: i32 = 310;
const TEXT: i32 = 15;
const GREY: RGBColor = RGBColor(125, 125, 125);
const GRID: RGBAColor = RGBAColor(125, 125, 125, 0.25);
/// For memlane's ways, which are drawn thick.
const OURS: [RGBColor; 4] =
    [RGBColor(224, 80, 32), RGBColor(208, 48, 112), RGBColor(200, 130, 0), RGBColor(170, 80, 200)];
/// For the others' ways.
const THEIRS: [RGBColor; 6] = [
    RGBColor(40, 130, 200),
    RGBColor(30, 150, 120),
    RGBColor(110, 120, 210),
    RGBColor(90, 150, 50),
    RGBColor(20, 150, 170),
    RGBColor(130, 130, 130),
];

impl Chart {
    const ALL: [Self; 7] =
        [Self::OneWay, Self::InPlace, Self::Asleep, Self::AtRest, Self::Receiving, Self::Crowded, Self::Many];

    fn file(self) -> &'static str {
        match self {
            Self::OneWay => "one-way.svg",
            Self::InPlace => "in-place.svg",
            Self::Asleep => "asleep.svg",
            Self::AtRest => "readers-at-rest.svg",
            Self::Receiving => "readers-receiving.svg",
            Self::Crowded => "processes.svg",
            Self::Many => "regions.svg",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::OneWay => "One way to a process that polls, copied",
            Self::InPlace => "One way to a process that polls, written in place",
            Self::Asleep => "Round trip to a process that sleeps",
            Self::AtRest => "Publish 8 B while readers are there",
            Self::Receiving => "Publish 8 B while all readers receive",
            Self::Crowded => "Lock and unlock, several processes at once",
            Self::Many => "Make one of many of 8 B",
        }
    }

    /// Where a variant is, from left to right.
    fn across(self, comparison: &Comparison, variant: &Variant) -> f64 {
        match self {
            Self::OneWay | Self::InPlace | Self::Asleep => variant.terms.size as f64,
            Self::AtRest | Self::Receiving => variant.terms.readers as f64,
            Self::Crowded => variant.sides as f64,
            Self::Many => match comparison.manner {
                Manner::Anew(count) => count as f64,
                _ => 0.0,
            },
        }
    }

    /// What there is more of to the right.
    fn axis(self) -> &'static str {
        match self {
            Self::OneWay | Self::InPlace | Self::Asleep => "size of the message",
            Self::AtRest | Self::Receiving => "readers",
            Self::Crowded => "processes",
            Self::Many => "regions",
        }
    }

    fn is_by_size(self) -> bool {
        matches!(self, Self::OneWay | Self::InPlace | Self::Asleep)
    }
}

/// Draws those of which there are figures. Returns their files' names.
pub(crate) fn draw(all: &[Compared], directory: &Path) -> Result<Vec<(&'static str, &'static str)>> {
    let mut drawn = Vec::new();
    for chart in Chart::ALL {
        let lines = lines(chart, all);
        // A line of one point is none.
        if lines.iter().any(|line| line.points.len() > 1) {
            draw_one(chart, &lines, &directory.join(chart.file()))?;
            drawn.push((chart.file(), chart.title()));
        }
    }
    Ok(drawn)
}

fn lines(chart: Chart, all: &[Compared]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for Compared { comparison, measured } in all.iter().filter(|one| one.comparison.chart == Some(chart)) {
        for one in measured {
            let figures = one.figures(comparison.figures[0]).ok();
            let Some(spread) = figures.and_then(|figures| Spread::of(&figures)) else { continue };
            let point = (chart.across(comparison, &comparison.variants[one.variant]), spread.median);
            match lines.iter_mut().find(|line| line.way == one.way) {
                Some(line) => line.points.push(point),
                None => lines.push(Line { way: one.way.clone(), points: vec![point] }),
            }
        }
    }
    lines
}

fn draw_one(chart: Chart, lines: &[Line], path: &Path) -> Result<()> {
    let all = || lines.iter().flat_map(|line| &line.points);
    let lowest = all().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let highest = all().map(|point| point.1).fold(0.0, f64::max);
    let down = ((lowest / 1.5)..(highest * 1.5)).log_scale();
    let last = all().map(|point| point.0).fold(0.0, f64::max);
    let first = all().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let number = |number: &f64| number.to_string();
    if chart.is_by_size() {
        let label = |size: &f64| bytes(*size as usize);
        plot(chart, lines, path, (first..last).log_scale().base(2.0), down, &label)
    } else if chart == Chart::Many {
        plot(chart, lines, path, (first..last).log_scale(), down, &number)
    } else {
        plot(chart, lines, path, 0.0..last, down, &number)
    }
}

fn plot<X, Y>(
    chart: Chart,
    lines: &[Line],
    path: &Path,
    across: X,
    down: Y,
    label: &dyn Fn(&f64) -> String,
) -> Result<()>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let failed = |error: &dyn std::fmt::Display| anyhow!("{}: {error}", path.display());
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    let text = |size: i32| ("sans-serif", size).into_font().color(&GREY);
    let mut area = ChartBuilder::on(&root)
        .caption(chart.title(), text(20))
        .margin(12)
        .margin_right(NAMES)
        .x_label_area_size(36)
        .y_label_area_size(70)
        .build_cartesian_2d(across, down)
        .map_err(|error| failed(&error))?;
    area.configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GREY)
        .label_style(text(TEXT))
        .x_desc(chart.axis())
        .x_label_formatter(&|value| label(value))
        .y_label_formatter(&|value| Figure::Median.show_one(*value))
        .draw()
        .map_err(|error| failed(&error))?;
    let mut names = Vec::new();
    let mut counts = [0, 0];
    for line in lines {
        let ours = line.way.starts_with("memlane.");
        let colours: &[RGBColor] = if ours { &OURS } else { &THEIRS };
        let count = &mut counts[usize::from(ours)];
        let colour = colours[*count % colours.len()];
        *count += 1;
        let style = colour.stroke_width(if ours { 3 } else { 1 });
        area.draw_series(LineSeries::new(line.points.iter().copied(), style))
            .map_err(|error| failed(&error))?;
        let dots =
            line.points.iter().map(|point| Circle::new(*point, if ours { 4 } else { 2 }, colour.filled()));
        area.draw_series(dots).map_err(|error| failed(&error))?;
        if let Some(end) = line.points.last() {
            names.push((area.backend_coord(end), line.way.as_str(), colour));
        }
    }
    for ((x, y), way, colour) in apart(names) {
        let style = ("sans-serif", TEXT).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(way, (x + 8, y), style)).map_err(|error| failed(&error))?;
    }
    root.present().map_err(|error| failed(&error))
}

/// Names beside the ends of their lines, moved so that none lies on another one.
fn apart<T>(mut names: Vec<((i32, i32), T, RGBColor)>) -> Vec<((i32, i32), T, RGBColor)> {
    names.sort_by_key(|name| name.0.1);
    let count = names.len() as i32;
    let mut above = i32::MIN;
    for (index, name) in (0..).zip(&mut names) {
        // Room is left for those below.
        let lowest = SIZE.1 as i32 - (count - index) * TEXT;
        name.0.1 = name.0.1.min(lowest).max(above.saturating_add(TEXT));
        above = name.0.1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_lies_on_another_one() {
        let names = [100, 101, 300, 102, 559, 558].map(|y| ((0, y), (), GREY)).to_vec();
        let places: Vec<_> = apart(names).into_iter().map(|name| name.0.1).collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= TEXT), "{places:?}");
        assert!(places.iter().all(|place| *place < SIZE.1 as i32), "{places:?}");
        assert_eq!(places[..2], [100, 100 + TEXT]);
    }
}
