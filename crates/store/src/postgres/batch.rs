//! Turns what a group of decisions writes into as few statements as possible.
//!
//! Decisions of one group are about different users, so their writes may be carried out in any order among each other,
//! while each decision's own must keep theirs. Round by round the next write of every decision is taken; those that
//! are the same statement become one, where there is a form of it for many rows.

use std::collections::VecDeque;

use super::conn::Query;
use super::sql as own;
use super::value::Param;
use crate::error::Error;
use crate::schema::sql;
use crate::value::{Value, Write};

/// A statement of a group, how many rows it must change, and why the group fails if it does not.
pub(super) struct Batch {
    pub(super) query: Query,
    pub(super) must_hit: Option<(u64, Error)>,
}

/// The form of a statement that does many rows at once. Its parameters are the same in the same order, as columns.
fn for_many(statement: &'static str) -> Option<&'static str> {
    match statement {
        sql::INSERT_LOOKUP => Some(own::INSERT_LOOKUPS),
        sql::DELETE_LOOKUP => Some(own::DELETE_LOOKUPS),
        sql::INSERT_BEGUN => Some(own::INSERT_ALL_BEGUN),
        sql::DELETE_BEGUN => Some(own::DELETE_ALL_BEGUN),
        sql::DELETE_ORIGIN => Some(own::DELETE_ORIGINS),
        sql::WIPE_MESSAGES => Some(own::WIPE_ALL_MESSAGES),
        sql::MARK_VERIFIED => Some(own::MARK_ALL_VERIFIED),
        sql::REMEMBER_USED => Some(own::REMEMBER_ALL_USED),
        sql::INSERT_AUDIT => Some(own::INSERT_AUDITS),
        _ => None,
    }
}

/// All writes of a group. Each element of `decisions` is what one decision writes.
pub(super) fn merge(mut decisions: Vec<VecDeque<Write>>) -> Vec<Batch> {
    let mut batches = Vec::new();
    loop {
        let mut round: Vec<(&'static str, Option<Error>, Vec<Write>)> = Vec::new();
        for write in decisions.iter_mut().filter_map(VecDeque::pop_front) {
            let like = |(statement, must_hit, _): &&mut (_, _, _)| {
                *statement == write.statement && *must_hit == write.must_hit
            };
            match round.iter_mut().find(like) {
                Some((_, _, writes)) => writes.push(write),
                None => round.push((write.statement, write.must_hit, vec![write])),
            }
        }
        if round.is_empty() {
            return batches;
        }
        for (statement, must_hit, writes) in round {
            match for_many(statement) {
                Some(many) if writes.len() > 1 => {
                    let rows = writes.len() as u64;
                    let query = columns(many, writes.into_iter().map(|write| write.params));
                    batches.push(Batch { query, must_hit: must_hit.map(|missed| (rows, missed)) });
                }
                _ => batches.extend(
                    writes
                        .into_iter()
                        .map(|write| Batch { query: write.into(), must_hit: must_hit.map(|missed| (1, missed)) }),
                ),
            }
        }
    }
}

/// A statement for many rows: row by row becomes column by column.
pub(super) fn columns(statement: &'static str, rows: impl Iterator<Item = Vec<Value>>) -> Query {
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for row in rows {
        columns.resize_with(row.len(), Vec::new);
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    Query { statement, params: columns.into_iter().map(Param::Many).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(statement: &'static str, n: i64) -> Write {
        Write::new(statement, vec![Value::Int(n), Value::Int(n)])
    }

    #[test]
    fn equal_writes_of_different_decisions_become_one_and_no_decision_changes_its_order() {
        let decisions = vec![
            VecDeque::from([write(sql::DELETE_LOOKUP, 1), write(sql::DELETE_USER, 1), write(sql::DELETE_LOOKUP, 2)]),
            VecDeque::from([write(sql::DELETE_LOOKUP, 3), write(sql::DELETE_USER, 3)]),
            VecDeque::from([write(sql::DELETE_USER, 4)]),
        ];
        let statements: Vec<_> = merge(decisions).into_iter().map(|batch| batch.query.statement).collect();
        let expected = [own::DELETE_LOOKUPS, sql::DELETE_USER, sql::DELETE_USER, sql::DELETE_USER, sql::DELETE_LOOKUP];
        assert_eq!(statements, expected);
    }

    #[test]
    fn a_statement_that_must_hit_must_hit_once_for_each_decision() {
        let decisions = (0..3).map(|n| VecDeque::from([write(sql::DELETE_LOOKUP, n).must_hit()])).collect();
        let merged = merge(decisions);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].must_hit.map(|(rows, _)| rows), Some(3));
        assert!(matches!(&merged[0].query.params[0], Param::Many(column) if column.len() == 3));
    }
}
