//! observer
 pub struct Observer;
