//! QR codes: drawn for a page, and for a terminal.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

/// Light modules around the code, on each side (ISO/IEC 18004).
const QUIET: usize = 4;

/// A QR code. Camera apps read it from a screen: a seventh of it may be hidden.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    /// The rows of modules; true is dark.
    rows: Vec<Vec<bool>>,
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may say a secret.
        f.write_str("Qr(…)")
    }
}

impl Qr {
    /// The code of this text. `None` above some 2,300 bytes, which is more than a QR code holds.
    pub fn new(text: &str) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let row = |y: usize| code[y].iter().take(code.size).map(|module| module.value()).collect();
        Some(Self { rows: (0..code.size).map(row).collect() })
    }

    /// Modules of a side, with what is light around them.
    pub(crate) fn side(&self) -> usize {
        self.rows.len() + 2 * QUIET
    }

    /// The dark modules as the path of an SVG whose unit is one module.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for y in QUIET..self.side() - QUIET {
            let mut x = 0;
            while x < self.side() {
                let length = (x..self.side()).take_while(|x| self.is_dark(*x, y)).count();
                if length > 0 {
                    // Writing into a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
                }
                x += length.max(1);
            }
        }
        path
    }

    /// The code for a terminal: a character shows two modules, one above the other. Light modules are drawn and dark ones
    /// left out, so it is right on a dark background; `light_background` turns that around. Lines end with a line break.
    pub fn terminal(&self, light_background: bool) -> String {
        let mut lines = String::new();
        for y in (0..self.side()).step_by(2) {
            for x in 0..self.side() {
                let inked = |y: usize| self.is_dark(x, y) == light_background;
                lines.push(match (inked(y), inked(y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            lines.push('\n');
        }
        lines
    }

    /// Whether this module is dark. What is around the code is light.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let module = || self.rows.get(y.checked_sub(QUIET)?)?.get(x.checked_sub(QUIET)?).copied();
        module().unwrap_or(false)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const ADDRESS: &str = "otpauth://totp/Acme:ana%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme";

    /// What a camera reads from a picture of so many pixels, asked for one at a time.
    pub(crate) fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        let grey = |x, y| if is_dark(x, y) { 0 } else { 255 };
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, grey);
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "one code in the picture");
        grids[0].decode().unwrap().1
    }

    /// The picture of a path as [`Qr::path`] draws it, with `scale` pixels for each module.
    pub(crate) fn read_path(side: usize, path: &str, scale: usize) -> String {
        let mut dark = vec![vec![false; side]; side];
        for run in path.split('M').filter(|run| !run.is_empty()) {
            let (place, run) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = run.split_once('v').unwrap().0.parse().unwrap();
            dark[y][x..x + length].fill(true);
        }
        read(side * scale, |x, y| dark[y / scale][x / scale])
    }

    #[test]
    fn a_camera_reads_what_the_page_draws() {
        for text in [ADDRESS, "https://mfa.example.com/app#7KQ2M9XD", &format!("{ADDRESS}{}", "x".repeat(300))] {
            let code = Qr::new(text).unwrap();
            assert_eq!(read_path(code.side(), &code.path(), 4), text);
        }
    }

    #[test]
    fn a_camera_reads_what_a_terminal_shows() {
        let code = Qr::new(ADDRESS).unwrap();
        for light_background in [true, false] {
            let lines: Vec<Vec<char>> =
                code.terminal(light_background).lines().map(|line| line.chars().collect()).collect();
            assert!(lines.iter().all(|line| line.len() == code.side()));
            let shown = read(code.side() * 4, |x, y| {
                let (x, y) = (x / 4, y / 4);
                let is_inked = match lines[y / 2][x] {
                    '█' => true,
                    '▀' => y % 2 == 0,
                    '▄' => y % 2 == 1,
                    _ => false,
                };
                is_inked == light_background
            });
            assert_eq!(shown, ADDRESS);
        }
    }

    #[test]
    fn what_is_too_long_for_a_code_has_none() {
        assert!(Qr::new(&"x".repeat(2_300)).is_some());
        assert!(Qr::new(&"x".repeat(3_000)).is_none());
    }
}
