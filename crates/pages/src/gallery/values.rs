//! Values that samples are made of.

use crate::html::Html;
use crate::link::ShownMoment;

pub(super) fn moment(minutes: i64, clock: &str) -> ShownMoment {
    ShownMoment { minutes, clock: clock.to_owned() }
}

/// A text of the gallery. It is for developers, so it is not translated.
pub(super) fn plain(text: &str) -> Html {
    Html::text(text)
}
