//! A walk over the regions of a space, each seen by an observer of its own.

use memlane::{Error, Observer, Result, Space};

/// The regions whose id is `wanted`, sorted by id. One that cannot be observed says why instead; one that is
/// removed during the walk is not there.
pub fn survey<'a>(
    space: &'a Space,
    wanted: impl Fn(&str) -> bool + 'a,
) -> Result<impl Iterator<Item = (String, Result<Observer>)> + 'a> {
    let ids = space.list()?.into_iter().filter(move |id| wanted(id));
    let seen = ids.map(|id| {
        let observer = Observer::open(space, &id);
        (id, observer)
    });
    Ok(seen.filter(|(_, observer)| !matches!(observer, Err(Error::NotFound { .. }))))
}
