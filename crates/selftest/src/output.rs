//! How the self-test prints. The binary owns the terminal and hands it in.

/// Prints what the self-test has to say.
pub trait Output {
    /// Prints a part of the answer.
    fn say(&self, text: &str);

    /// Prints a remark beside the answer.
    fn remark(&self, text: &str);

    /// A table of the answer, as text.
    fn table(&self, header: &[&str], rows: &[Vec<String>]) -> String;

    /// Starts a bar of `length` steps; `None` without a terminal.
    fn progress(&self, name: &'static str, length: u64) -> Option<Box<dyn ProgressBar>>;
}

/// A bar that shows progress; it is removed when it is dropped.
pub trait ProgressBar {
    /// Sets how many steps are done.
    fn reach(&self, done: u64);
}
