//! Permits that return when their holder dies.
