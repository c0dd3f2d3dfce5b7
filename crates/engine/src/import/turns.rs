//! The order of a list, kept while many of its people are under way at once: those who speak of the same names take
//! turns, the earlier line first. Everybody else overtakes freely.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Who entered last for each name.
#[derive(Default)]
pub(crate) struct Turns {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    entered: u64,
    last: HashMap<String, (u64, watch::Receiver<()>)>,
}

/// A place behind all who entered before for one of its names. It ends when it is dropped.
pub(crate) struct LineTurn {
    turns: Arc<Turns>,
    number: u64,
    names: Vec<String>,
    before: Vec<watch::Receiver<()>>,
    _end: watch::Sender<()>,
}

impl Turns {
    /// Takes a place for some names.
    pub(crate) fn enter(self: &Arc<Self>, names: Vec<String>) -> LineTurn {
        let (end, ended) = watch::channel(());
        let mut table = self.table();
        table.entered += 1;
        let number = table.entered;
        let mut before = Vec::new();
        for name in &names {
            before
                .extend(table.last.insert(name.clone(), (number, ended.clone())).filter(|(other, _)| *other != number));
        }
        drop(table);
        let before = before.into_iter().map(|(_, ended)| ended).collect();
        LineTurn { turns: self.clone(), number, names, before, _end: end }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LineTurn {
    /// Waits until those before have ended. They never wait for a later one, so no two wait for each other.
    pub(crate) async fn wait(&mut self) {
        for mut before in self.before.drain(..) {
            // Nothing is ever sent: this ends when the sender does.
            while before.changed().await.is_ok() {}
        }
    }
}

impl Drop for LineTurn {
    fn drop(&mut self) {
        let mut table = self.turns.table();
        for name in &self.names {
            if table.last.get(name).is_some_and(|(number, _)| *number == self.number) {
                table.last.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test]
    async fn those_of_one_name_come_in_the_order_of_their_lines() {
        let turns = Arc::<Turns>::default();
        let seen = Arc::<Mutex<Vec<usize>>>::default();
        // Every third has the first name in common, the second names all differ, and each has two.
        let entered: Vec<_> =
            (0..60_usize).map(|n| turns.enter(names(&[&format!("a{}", n % 3), &format!("b{n}")]))).collect();
        let mut tasks = Vec::new();
        for (n, mut turn) in (0..60_usize).zip(entered).rev() {
            let seen = seen.clone();
            tasks.push(tokio::spawn(async move {
                turn.wait().await;
                tokio::task::yield_now().await;
                seen.lock().unwrap().push(n);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let seen = seen.lock().unwrap();
        for rest in 0..3 {
            let of_one: Vec<_> = seen.iter().filter(|n| *n % 3 == rest).collect();
            assert!(of_one.is_sorted() && of_one.len() == 20, "{of_one:?}");
        }
        assert!(turns.table().last.is_empty(), "nothing is remembered of those who are done");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_name_of_their_own() {
        let turns = Arc::<Turns>::default();
        let mut twice = turns.enter(names(&["a", "a"]));
        twice.wait().await;
        let mut other = turns.enter(names(&["b"]));
        other.wait().await;
    }
}
