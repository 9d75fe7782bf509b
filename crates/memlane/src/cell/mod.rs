//! Cells: contents that are replaced, element by element or as a whole.

pub mod snapshot;

#[cfg(not(loom))]
pub mod array;
#[cfg(not(loom))]
mod content;
#[cfg(not(loom))]
pub mod newer;
#[cfg(not(loom))]
pub mod raw;
#[cfg(not(loom))]
pub mod record;
#[cfg(not(loom))]
pub mod text;
#[cfg(not(loom))]
pub mod value;

#[cfg(not(loom))]
pub(crate) use content::Copies;
