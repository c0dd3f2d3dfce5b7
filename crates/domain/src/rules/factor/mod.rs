//! Proofs: one file per kind.
//!
//! A factor *proves*: it turns a response into [`Evidence`](evidence::Evidence) by looking only at what never changes (the
//! opened credential, the challenge). Whether the evidence still counts is decided later, on fresh state, by
//! [`crate::rules::verification`].

pub mod evidence;
pub mod keypad;
pub mod link;
#[cfg(not(feature = "testing"))]
pub(crate) mod prove;
#[cfg(feature = "testing")]
pub mod prove;
pub mod push;
pub mod temp_token;
