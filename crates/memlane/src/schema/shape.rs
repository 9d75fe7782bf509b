//! How many items lie where one could lie: the check that every shape goes through.

use super::SchemaError;

/// Most bytes of a body, an item or a struct (64 TiB): well below what overflows, well above any machine's
/// memory.
pub const MAX_BODY_SIZE: usize = 1 << 46;

/// Most dimensions of a shape (NumPy's own limit until 2.0).
pub const MAX_DIMENSIONS: usize = 32;

/// Bytes of `shape` items of `item_size` bytes each, or why there is no such shape.
pub(super) fn checked_size(item_size: usize, shape: &[usize]) -> Result<usize, SchemaError> {
    if shape.len() > MAX_DIMENSIONS {
        return Err(SchemaError::TooManyDimensions { found: shape.len() });
    }
    if shape.contains(&0) {
        return Err(SchemaError::Empty { what: "a dimension" });
    }
    let size = shape.iter().try_fold(item_size, |size, length| size.checked_mul(*length));
    within_limit("a body", size)
}

/// `size` when it was computed without overflow and is within [`MAX_BODY_SIZE`].
pub(super) fn within_limit(what: &'static str, size: Option<usize>) -> Result<usize, SchemaError> {
    match size {
        Some(size) if size <= MAX_BODY_SIZE => Ok(size),
        _ => Err(SchemaError::TooLarge { what, limit: MAX_BODY_SIZE }),
    }
}
