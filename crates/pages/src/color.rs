//! Colours of the brand that can be read (WCAG 2.2, 1.4.3 and 1.4.11).

use std::fmt;

/// A colour of the screen, in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color([u8; 3]);

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

pub(crate) const WHITE: Color = Color([255; 3]);
pub(crate) const BLACK: Color = Color([0; 3]);

/// What text can be on by day, and by night: surfaces of the sheet.
pub(crate) const DAY: [&str; 2] = ["#ffffff", "#f4f5f8"];
pub(crate) const NIGHT: [&str; 3] = ["#0e1116", "#171b22", "#20262f"];

/// Least contrast of text to what is behind it.
const READABLE: f64 = 4.5;

impl Color {
    /// The colour written as `#rrggbb`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// Red, green and blue.
    pub(crate) fn parts(self) -> [u8; 3] {
        self.0
    }

    /// Relative luminance, 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast of two colours, 1 to 21.
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour with so many hundredths of another.
    pub(crate) fn mixed(self, other: Self, hundredths: u16) -> Self {
        let mut mixed = self.0;
        for (own, other) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*own) * (100 - hundredths) + u16::from(other) * hundredths;
            *own = u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// Black or white, whichever is read better on this colour. One of them always has a contrast of 4.5 or more.
    pub(crate) fn ink(self) -> Self {
        if self.contrast(WHITE) >= READABLE { WHITE } else { BLACK }
    }

    /// This colour, mixed with as little of `end` as makes it readable on all of `behind`.
    pub(crate) fn readable_on(self, behind: &[Self], end: Self) -> Self {
        let steps = (0..=100).step_by(2).map(|hundredths| self.mixed(end, hundredths));
        let is_readable = |color: &Self| behind.iter().all(|behind| color.contrast(*behind) >= READABLE);
        steps.into_iter().find(is_readable).unwrap_or(end)
    }
}

/// The custom properties of the brand's colour, as a sheet for light and dark. `color` is `#rrggbb`.
pub(crate) fn sheet(color: &str) -> String {
    let accent = Color::parse(color).unwrap_or(BLACK);
    let light = DAY.map(|text| Color::parse(text).unwrap_or(WHITE));
    let dark = NIGHT.map(|text| Color::parse(text).unwrap_or(BLACK));
    let properties = |text: Color| {
        // The button is filled with the brand's colour as it is, and its edge can be seen whatever that is.
        format!("--accent: {accent}; --on-accent: {}; --accent-text: {text};", accent.ink())
    };
    let (by_day, by_night) = (accent.readable_on(&light, BLACK), accent.readable_on(&dark, WHITE));
    format!(
        ":root {{ {} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n",
        properties(by_day),
        properties(by_night)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_standard() {
        let contrast = |one: &str, two: &str| Color::parse(one).unwrap().contrast(Color::parse(two).unwrap());
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.01, "the lightest grey for text on white");
        assert!((contrast("#1a56db", "#1a56db") - 1.0).abs() < 1e-9);
    }

    #[test]
    fn every_colour_of_a_brand_can_be_read_by_day_and_by_night() {
        let parts = (0..=255).step_by(51).chain([1, 254]);
        for red in parts.clone() {
            for (green, blue) in parts.clone().flat_map(|green| parts.clone().map(move |blue| (green, blue))) {
                let color = Color([red, green, blue]);
                assert!(color.contrast(color.ink()) >= READABLE, "{color}");
                for (behind, end) in [(&DAY[..], BLACK), (&NIGHT[..], WHITE)] {
                    let behind: Vec<_> = behind.iter().map(|text| Color::parse(text).unwrap()).collect();
                    let text = color.readable_on(&behind, end);
                    assert!(behind.iter().all(|behind| text.contrast(*behind) >= READABLE), "{color} became {text}");
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        assert!(
            sheet("#1a56db").starts_with(":root { --accent: #1a56db; --on-accent: #ffffff; --accent-text: #1a56db; }")
        );
        assert!(sheet("#ffd400").contains("--on-accent: #000000"));
    }

    #[test]
    fn what_is_no_colour_is_none() {
        for text in ["", "#", "#12345", "#1234567", "1a56db", "#gg0000", "#äää"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}
