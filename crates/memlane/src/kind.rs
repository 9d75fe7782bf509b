//! What a region is.

use std::fmt;

macro_rules! kinds {
    ($($variant:ident = $number:literal $name:literal $doc:literal),* $(,)?) => {
        /// What a region is; its number stands in the header.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Kind { $(#[doc = $doc] $variant = $number),* }

        impl Kind {
            /// All kinds of the layout, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it, as on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(crate) const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    Value = 1 "value" "A scalar of up to 8 bytes.",
    Record = 2 "record" "A structure that changes as a whole.",
    Array = 3 "array" "Elements that change one by one.",
    Text = 4 "text" "UTF-8 of bounded length.",
    Lock = 5 "lock" "Mutual exclusion.",
    Rlock = 6 "rlock" "Mutual exclusion that its holder may enter again.",
    Rwlock = 7 "rwlock" "Many readers or one writer.",
    Semaphore = 8 "semaphore" "A number of permits.",
    Event = 9 "event" "A flag to wait for.",
    Condition = 10 "condition" "Waiting for a predicate under a lock.",
    Barrier = 11 "barrier" "A meeting of a number of parties.",
    Queue = 12 "queue" "Messages, each taken once.",
    Pipe = 13 "pipe" "Messages between two ends.",
    Frames = 14 "frames" "Pictures or other large frames, read in place.",
    Stream = 15 "stream" "Records of fixed size, kept for a while.",
    Raw = 16 "raw" "Bytes.",
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
