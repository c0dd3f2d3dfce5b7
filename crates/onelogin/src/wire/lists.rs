//! How much one call may ask a list for (SEC 37, contract 1.9).

/// Filters in one call, at most.
pub(crate) const FILTERS: usize = 20;
/// Ids and types in one filter, at most.
pub(crate) const IDS: usize = 100;
/// A parameter of a list that cannot be read, or is one too many; its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(pub String);

/// The members of a filter that is a list, at most [`IDS`]. Empty members are left out.
pub(crate) fn members<'v>(name: &str, value: &'v str) -> Result<Vec<&'v str>, Unreadable> {
    let members: Vec<_> = value.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    if members.len() > IDS { Err(Unreadable(name.to_owned())) } else { Ok(members) }
}
