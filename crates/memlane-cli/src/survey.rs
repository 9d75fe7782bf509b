//! A walk over the regions of a space that says how many could not be looked into.

use std::fmt;

use memlane::{Observer, Space};
use memlane_net::view::survey::survey;

use crate::failure::Outcome;
use crate::human;

/// Where remarks go.
pub(crate) type Saying<'a> = &'a dyn Fn(fmt::Arguments<'_>);

/// Shows every region whose id is `wanted` to `visit`, and says how many were left out because they cannot be
/// observed.
pub(crate) fn visit_all(
    say: Saying<'_>,
    space: &Space,
    wanted: impl Fn(&str) -> bool,
    mut visit: impl FnMut(&Observer),
) -> Outcome {
    let mut errors = Vec::new();
    for (_, observer) in survey(space, wanted)? {
        match observer {
            Ok(observer) => visit(&observer),
            Err(error) => errors.push(error),
        }
    }
    if let Some(first) = errors.first() {
        say(format_args!("{} left out: {first}", human::count(errors.len(), "region")));
    }
    Ok(())
}
