//! A walk over the regions of a space, each seen by an observer of its own.

use memlane::{Error, Observer, Result, Space};

use crate::context::Context;
use crate::failure::Outcome;
use crate::human;

/// The regions whose id is `wanted`, sorted by id. One that cannot be observed says why instead; one that is
/// removed during the walk is not there.
pub(crate) fn survey<'a>(
    space: &'a Space,
    wanted: impl Fn(&str) -> bool + 'a,
) -> Outcome<impl Iterator<Item = (String, Result<Observer>)> + 'a> {
    let ids = space.list()?.into_iter().filter(move |id| wanted(id));
    let seen = ids.map(|id| {
        let observer = Observer::open(space, &id);
        (id, observer)
    });
    Ok(seen.filter(|(_, observer)| !matches!(observer, Err(Error::NotFound { .. }))))
}

/// Shows every region whose id is `wanted` to `visit`, and says how many were left out because they cannot be
/// observed.
pub(crate) fn visit_all(
    context: &Context,
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
        context.say(format_args!("{} left out: {first}", human::count(errors.len(), "region")));
    }
    Ok(())
}
