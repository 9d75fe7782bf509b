//! A meeting of a number of parties.
