//! How regions are shown: one view model for the command line, the host and its web page.
//!
//! | module | what |
//! |---|---|
//! | [`document`] | the JSON documents and their names |
//! | [`snapshot`], [`motion`] | all regions, looked at again and again; how often one changes |
//! | [`row`], [`sheet`] | a region in a table, and everything known about it |
//! | [`sight`], [`standing`] | what it shows at one moment, and how it stands if it has no content |
//! | [`process`], [`locks`], [`finding`] | who is attached, who holds what and who waits, what the dead left behind |
//! | [`datum_json`], [`selection`], [`edit`] | values as JSON and as typed, a part of one, a change of a part |
//! | [`survey`], [`pattern`] | a walk over regions, and which are wanted |
//! | [`human`], [`user`] | sizes and times written short, users by name |

pub mod datum_json;
pub mod document;
pub mod edit;
pub mod finding;
pub mod human;
pub mod locks;
pub mod motion;
pub mod pattern;
pub mod process;
pub mod row;
pub mod selection;
pub mod sheet;
pub mod sight;
pub mod snapshot;
pub mod standing;
pub mod survey;
pub mod user;
