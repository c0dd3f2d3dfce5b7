//! How budgets are kept: one row each.
//!
//! | bytes | what, all big endian |
//! | --- | --- |
//! | 8 | how much is taken |
//! | 8 | since when, in milliseconds since 1970 UTC |
//! | then 16 each | when a message was counted, and the mark of its recipient; of a day's budget another day, and what was taken of it; of a closed prefix, once, when the first and the last trial message were |
//!
//! A row without bytes is of a budget that nothing was taken out of.

use domain::model::budget::{DayTaken, Sent, SpentList, Trials};
use domain::{Budget, BudgetView, Spent, Timestamp};

use crate::error::Error;
use crate::schema::columns::{BUDGET, BUDGET_CLOCK};
use crate::value::Row;

const CORRUPT: Error = Error::Corrupt("a budget");

/// What is stored.
pub(crate) fn pack(spent: &Spent) -> Vec<u8> {
    let mut packed = Vec::new();
    packed.extend_from_slice(&spent.taken.to_be_bytes());
    packed.extend_from_slice(&spent.since.0.to_be_bytes());
    match &spent.kept {
        SpentList::Nothing => {}
        SpentList::Messages(messages) => {
            for sent in messages {
                packed.extend_from_slice(&sent.at.0.to_be_bytes());
                packed.extend_from_slice(&sent.target);
            }
        }
        SpentList::Trials(trials) => {
            packed.extend_from_slice(&trials.first.0.to_be_bytes());
            packed.extend_from_slice(&trials.last.0.to_be_bytes());
        }
        SpentList::Days(days) => {
            for day in days {
                packed.extend_from_slice(&day.began.0.to_be_bytes());
                packed.extend_from_slice(&day.taken.to_be_bytes());
            }
        }
    }
    packed
}

/// The inverse of [`pack`].
fn unpack(budget: Budget, bytes: &[u8]) -> Result<Spent, Error> {
    if bytes.is_empty() {
        return Ok(Spent::default());
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let ([taken, since, pairs @ ..], []) = (words, rest) else { return Err(CORRUPT) };
    let (pairs, []) = pairs.as_chunks::<2>() else { return Err(CORRUPT) };
    let number = |bytes: &[u8; 8]| i64::from_be_bytes(*bytes);
    let at = |bytes: &[u8; 8]| Timestamp(number(bytes));
    let kept = match budget {
        _ if pairs.is_empty() => SpentList::Nothing,
        Budget::Client(_)
        | Budget::Server
        | Budget::SpendOfServer
        | Budget::SpendOfClient(_)
        | Budget::SpendOfCountry(_) => SpentList::Days(
            pairs.iter().map(|[began, taken]| DayTaken { began: at(began), taken: number(taken) }).collect(),
        ),
        Budget::Block(_) | Budget::BlockOfReaders(_) => {
            SpentList::Messages(pairs.iter().map(|[sent, target]| Sent { at: at(sent), target: *target }).collect())
        }
        Budget::PrefixOfCountry(_) | Budget::PrefixOfBlock(_) => {
            let [[first, last]] = pairs else { return Err(CORRUPT) };
            let given = u32::try_from(number(taken)).map_err(|_| CORRUPT)?;
            SpentList::Trials(Trials { given, first: at(first), last: at(last) })
        }
        Budget::Calls(_) | Budget::Reserve | Budget::ReserveOf(_) | Budget::ReserveOfReaders => return Err(CORRUPT),
    };
    Ok(Spent { taken: number(taken), since: at(since), kept })
}

/// A budget as a decision sees it: its state, if it has one, and the database's clock.
pub(crate) fn view(row: &dyn Row) -> Result<BudgetView, Error> {
    let spent = match row.opt_blob(BUDGET.state)? {
        Some(state) => unpack(budget(row)?, state)?,
        None => Spent::default(),
    };
    Ok(BudgetView { spent, clock: row.time(BUDGET_CLOCK)? })
}

/// Which budget a row is of.
pub(crate) fn budget(row: &dyn Row) -> Result<Budget, Error> {
    Budget::from_stored(row.int(BUDGET.kind)?, row.blob(BUDGET.subject)?).ok_or(CORRUPT)
}

/// A budget with its state.
pub(crate) fn named(row: &dyn Row) -> Result<(Budget, Spent), Error> {
    let budget = budget(row)?;
    Ok((budget, unpack(budget, row.blob(BUDGET.state)?)?))
}

#[cfg(test)]
mod tests {
    use domain::{MacKeys, Secret};

    use super::*;

    #[test]
    fn budgets_survive_packing() {
        let sent = |at| Sent { at: Timestamp(at), target: [u8::MAX; 8] };
        let other = DayTaken { began: Timestamp(1_699_000_000_000), taken: 7 };
        let day = Spent { taken: 80, since: Timestamp(1_700_000_000_000), kept: SpentList::Days(vec![other]) };
        let messages = SpentList::Messages(vec![sent(1), sent(i64::MAX)]);
        let block = Spent { kept: messages, ..Spent::default() };
        let hash = MacKeys::new(vec![(7, Secret::new(vec![1; 32]))]).hash("a", "b");
        let calls = Spent { taken: 3, since: Timestamp(9), ..Spent::default() };
        let trials = Trials { given: 3, first: Timestamp(1), last: Timestamp(9) };
        let closed = Spent { taken: 3, since: Timestamp(7), kept: SpentList::Trials(trials) };
        let open = Spent { since: Timestamp(7), ..Spent::default() };
        let all = [
            (Budget::Server, day),
            (Budget::Block(hash), block),
            (Budget::Reserve, calls),
            (Budget::PrefixOfBlock(hash), closed),
            (Budget::PrefixOfCountry("DE"), open),
        ];
        for (budget, spent) in all {
            let packed = pack(&spent);
            assert_eq!(unpack(budget, &packed).unwrap(), spent);
            for short in 1..packed.len() {
                assert!(unpack(budget, &packed[..short]).is_err() || short == 16 || short == 32, "{short}");
            }
            assert_eq!(unpack(budget, &[]).unwrap(), Spent::default());
        }
        let packed = pack(&Spent { kept: SpentList::Messages(vec![sent(1)]), ..Spent::default() });
        assert!(unpack(Budget::Reserve, &packed).is_err(), "a reserve remembers no messages");
    }
}
