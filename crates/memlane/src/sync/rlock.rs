//! A lock that its holder may take again.
