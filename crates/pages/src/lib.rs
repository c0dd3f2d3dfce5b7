//! What people see in a browser: pages that are made on the server, and the app at `/app`.
//!
//! A page is a list of [`Block`]s in the reader's language. How blocks look is one template and one sheet, shown whole on
//! [`gallery`]; the texts are the Fluent files of the crate `words`. A page decides nothing: what answers a request asks
//! `engine`, and shows what came of it.
//!
//! Rules of every page (contract 19, SEC 100): nothing is fetched from another server, no script runs but the app's own, names of
//! others are shown as text in elements whose direction is theirs, and what a page depends on has its digest in its name.

mod app;
mod app_files;
mod app_icon;
mod asset;
mod block;
mod color;
mod enrol;
pub mod gallery;
mod html;
mod link;
mod page;
mod pages;
mod pictogram;
mod qr;
mod reader;
mod text;
mod trouble;

pub use crate::app::AppPage;
pub use crate::block::{Block, Button, Field, Tone, Way, Weight};
pub use crate::enrol::{
    AuthenticatorForm, AuthenticatorRetry, BEGIN, ENROL_CODE, EnrolChoice, EnrolDone, EnrolFactor, EnrolFault,
    EnrolForm, EnrolOffer, EnrolPage, PairForm, SentCodeForm, TARGET,
};
pub use crate::html::Html;
pub use crate::link::{ANSWER, CONFIRM, DISOWN, LinkForm, LinkPage, LinkPurpose, ShownMoment};
pub use crate::page::WebPage;
pub use crate::pages::Pages;
pub use crate::pictogram::Pictogram;
pub use crate::qr::Qr;
pub use crate::reader::accepted_languages;
pub use crate::text::Text;
pub use crate::trouble::Trouble;
