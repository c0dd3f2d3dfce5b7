//! The rules, tested through the public interface and against a model of the database. One binary, so that the suites run
//! side by side.

mod answers;
mod budgets;
mod challenges;
mod clients;
mod guessing;
mod histories;
mod invitations;
mod links;
mod model;
mod phones;
mod push;
mod sign_in;

use proptest::test_runner::Config;

/// The variable that the gate sets. With it, random tests run all their cases.
const ALL_CASES: &str = "COUNTERSIGN_ALL_CASES";

fn runs_all_cases() -> bool {
    std::env::var_os(ALL_CASES).is_some()
}

/// So many cases in the inner loop; in the gate as many as `PROPTEST_CASES` says, 256 by default.
fn cases(in_the_inner_loop: u32) -> Config {
    if runs_all_cases() { Config::default() } else { Config::with_cases(in_the_inner_loop) }
}
