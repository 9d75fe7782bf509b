//! Which part of a region's content is meant: `--field NAME`, `--index I`.

use memlane_net::view::selection::Selection;

/// The part meant; all of it when nothing is said.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PartArguments {
    /// The field of a record, or of an array's element; `a.b` of a record in a record
    #[arg(long, value_name = "NAME")]
    field: Option<String>,

    /// The element of an array: its number in C order, or one number for each dimension
    #[arg(long, value_name = "I[,J…]", value_delimiter = ',')]
    index: Vec<usize>,
}

impl PartArguments {
    /// That field of a record; all of it without one.
    pub(crate) fn field(name: &str) -> Self {
        Self { field: Some(name.to_owned()).filter(|name| !name.is_empty()), index: Vec::new() }
    }

    /// That element of an array, by its number in C order.
    pub(crate) fn element(index: usize) -> Self {
        Self { field: None, index: vec![index] }
    }

    /// What the view calls it.
    pub(crate) fn selection(&self) -> Selection {
        Selection { field: self.field.clone(), index: self.index.clone() }
    }
}
