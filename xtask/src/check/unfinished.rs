//! Marks of work that somebody meant to come back to.

use super::complaints::Complaints;
use super::krate::File;

const MARKS: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"];

/// The law: places where something is left to do.
pub(super) fn none<'a>(files: impl Iterator<Item = &'a File>) -> Complaints {
    let mut complaints = Complaints::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(mark) = MARKS.iter().find(|mark| line.contains(*mark)) {
                complaints.push(format!("{}:{number} holds {mark}", file.path));
            }
        }
    }
    complaints
}
