//! The rows of the table, one file each: what is prepared, what is sent, what it is compared with, and what must be true
//! afterwards.

mod crowd;
mod enrol;
mod gateways;
mod heavy;
mod held;
mod latency;
mod list;
mod memory;
mod millions;
mod pair;
mod phones;
mod postgres;
mod start;
mod twenty;
mod verify;
mod wrong;

use anyhow::Result;

use crate::fixture::Fixture;
use crate::row::Finding;

/// A bench: its rows of the table.
pub(crate) struct Bench {
    /// Its name for `--only`.
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Fixture) -> Result<Finding>,
}

/// All benches, in the table's order.
pub(crate) const BENCHES: &[Bench] = &[
    Bench { name: verify::NAME, run: verify::run },
    Bench { name: wrong::NAME, run: wrong::run },
    Bench { name: list::NAME, run: list::run },
    Bench { name: pair::NAME, run: pair::run },
    Bench { name: postgres::NAME, run: postgres::run },
    Bench { name: enrol::NAME, run: enrol::run },
    Bench { name: latency::NAME, run: latency::run },
    Bench { name: millions::NAME, run: millions::run },
    Bench { name: twenty::NAME, run: twenty::run },
    Bench { name: memory::NAME, run: memory::run },
    Bench { name: start::NAME, run: start::run },
    Bench { name: crowd::NAME, run: crowd::run },
    Bench { name: held::NAME, run: held::run },
    Bench { name: phones::NAME, run: phones::run },
    Bench { name: heavy::NAME, run: heavy::run },
    Bench { name: gateways::NAME, run: gateways::run },
];
