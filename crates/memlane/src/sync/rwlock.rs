//! Many readers or one writer.
