//! The icon of the app on a home screen: a shield with a check mark, in the brand's colours. Installing needs PNG files,
//! so it is drawn here, by the distance of each pixel from the edge of each shape.

use miniz_oxide::deflate::compress_to_vec_zlib;

use crate::color::{BLACK, Color};

/// The space around the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A square with round corners, and nothing around it.
    Rounded,
    /// The whole square, with the mark in the middle four fifths: the system cuts it to its own shape.
    Full,
}

/// Steps of the palette between two colours.
const STEPS: u8 = 63;

/// A PNG of `size` by `size` pixels. `color` is `#rrggbb`.
pub(crate) fn png(color: &str, size: u32, shape: Shape) -> Vec<u8> {
    let ground = Color::parse(color).unwrap_or(BLACK);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    // Eight bits a pixel, by palette.
    let header = [&size.to_be_bytes()[..], &size.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
    chunk(&mut file, *b"IHDR", &header);
    // First from the ground to the mark, then from nothing to the ground.
    let steps = || 0..=STEPS;
    let share = |step: u8| u16::from(step) * 100 / u16::from(STEPS);
    let mixed = steps().map(|step| ground.mixed(ground.ink(), share(step)).parts());
    chunk(&mut file, *b"PLTE", &mixed.chain(steps().map(|_| ground.parts())).collect::<Vec<_>>().concat());
    let alpha = steps().map(|_| u8::MAX).chain(steps().map(|step| step * 4 + step / 21));
    chunk(&mut file, *b"tRNS", &alpha.collect::<Vec<_>>());
    chunk(&mut file, *b"IDAT", &compress_to_vec_zlib(&pixels(size, shape), 6));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&name);
    checksum.update(data);
    for part in [&length.to_be_bytes()[..], &name, data, &checksum.finalize().to_be_bytes()] {
        file.extend_from_slice(part);
    }
}

/// The rows, each with a leading zero: not filtered.
fn pixels(size: u32, shape: Shape) -> Vec<u8> {
    let side = f64::from(size);
    let scale = if shape == Shape::Full { 1.25 } else { 1.0 };
    let mut rows = Vec::new();
    for row in 0..size {
        rows.push(0);
        for column in 0..size {
            // From -1 to 1, with the origin in the middle.
            let at = |place: u32| (f64::from(place) + 0.5) / side * 2.0 - 1.0;
            let (x, y) = (at(column), at(row));
            // How much of the pixel is within a shape whose edge is so far away.
            let within = |distance: f64| (0.5 - distance * side / 2.0).clamp(0.0, 1.0);
            let square = if shape == Shape::Full { 1.0 } else { within(corner(x.abs() - 1.0, y.abs() - 1.0, 0.44)) };
            let (x, y) = (x * scale, y * scale);
            let mark = within(shield(x, y) / scale) * (1.0 - within(check(x, y) / scale));
            rows.push(if square < 1.0 { STEPS + 1 + step(square) } else { step(mark) });
        }
    }
    rows
}

fn step(share: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 63")]
    let step = (share * f64::from(STEPS)).round() as u8;
    step.min(STEPS)
}

/// Distance from a corner at the origin that is rounded with this radius; negative within.
fn corner(x: f64, y: f64, radius: f64) -> f64 {
    let (x, y) = (x + radius, y + radius);
    x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - radius
}

/// A box that narrows to a point below its middle.
fn shield(x: f64, y: f64) -> f64 {
    const WIDTH: f64 = 0.5;
    const TOP: f64 = -0.6;
    const WAIST: f64 = -0.02;
    const CURVE: f64 = 0.72;
    let x = x.abs();
    if y < WAIST {
        return corner(x - WIDTH, TOP - y, 0.12);
    }
    // A circle whose side is upright at the waist, so that the edge has no bend there.
    (x + CURVE - WIDTH).hypot(y - WAIST) - CURVE
}

/// A check mark with round ends.
fn check(x: f64, y: f64) -> f64 {
    let line = |(ax, ay): (f64, f64), (bx, by): (f64, f64)| {
        let (dx, dy) = (bx - ax, by - ay);
        let along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
        (x - ax - along * dx).hypot(y - ay - along * dy)
    };
    let (start, bend, end) = ((-0.24, 0.0), (-0.06, 0.18), (0.25, -0.2));
    line(start, bend).min(line(bend, end)) - 0.075
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_small_and_has_the_brands_colour_at_its_side_and_nothing_in_its_corner() {
        let icon = png("#1a56db", 192, Shape::Rounded);
        assert!(icon.starts_with(b"\x89PNG\r\n\x1a\n") && icon.ends_with(b"IEND\xaeB`\x82"));
        assert!(icon.len() < 8_192, "{}", icon.len());
        let rows = pixels(192, Shape::Rounded);
        assert_eq!(rows.len(), 192 * 193);
        assert_eq!(rows[1], STEPS + 1, "nothing");
        assert_eq!(rows[96 * 193 + 8], 0, "the ground");
        assert_eq!(rows[55 * 193 + 96], STEPS, "the mark");
        assert!(pixels(192, Shape::Full).iter().all(|pixel| *pixel <= STEPS));
    }
}
