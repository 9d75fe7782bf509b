//! The atomics every algorithm is written with: the standard library's, or loom's when the algorithms are
//! model-checked. Chosen here only.
//!
//! Under `--cfg loom` every access first passes [`crash::point`], so a model can let a thread die just before
//! its k-th shared access, for every k. With the feature `delays`, which the hunt for lost wake-ups turns on, it
//! is now and then delayed, so that others come in between where they hardly ever do.

pub use core::sync::atomic::Ordering;

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU8, AtomicU16, fence};

#[cfg(not(any(loom, feature = "delays")))]
pub use core::sync::atomic::{AtomicU32, AtomicU64};

#[cfg(all(feature = "delays", not(loom)))]
pub use delayed::{AtomicU32, AtomicU64, delay};

#[cfg(loom)]
pub use modelled::{AtomicU32, AtomicU64, crash, fence};

/// A full fence right after a read-modify-write of this thread: what it did and wrote before comes before what
/// it loads after. On x86-64 a locked instruction is that fence already (Intel SDM 3A, 9.2.3.9), so only the
/// compiler is told; Linux's `smp_mb__after_atomic` is the same bargain.
#[inline]
pub fn fence_after_rmw() {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    fence(Ordering::SeqCst);
}

/// What a spinning thread does between two looks at a word.
#[inline]
pub fn pause() {
    #[cfg(not(loom))]
    core::hint::spin_loop();
    #[cfg(loom)]
    loom::thread::yield_now();
}

#[cfg(all(feature = "delays", not(loom)))]
mod delayed {
    use super::Ordering;
    use std::cell::Cell;
    use std::ops::Deref;

    thread_local! { static RANDOM: Cell<u64> = const { Cell::new(0) }; }

    /// Mostly nothing, sometimes a while, now and then long enough for another thread to run.
    pub fn delay() {
        let random = RANDOM.with(|cell| {
            // Xorshift (G. Marsaglia 2003), from another start in each thread.
            let mut next = if cell.get() == 0 { crate::os::process::thread_key() | 1 } else { cell.get() };
            next ^= next << 13;
            next ^= next >> 7;
            next ^= next << 17;
            cell.set(next);
            next
        });
        if random.is_multiple_of(16) {
            (0..random >> 32 & 0x1ff).for_each(|_| super::pause());
        }
        if (random >> 8).is_multiple_of(256) {
            crate::os::process::give_way();
        }
    }

    macro_rules! delayed_atomic {
        ($name:ident, $integer:ty) => {
            /// The standard library's atomic with a delay before every access.
            #[derive(Debug)]
            #[repr(transparent)]
            pub struct $name(core::sync::atomic::$name);

            impl $name {
                /// As the standard library's.
                pub const fn new(value: $integer) -> Self {
                    Self(core::sync::atomic::$name::new(value))
                }
                /// As the standard library's.
                pub fn load(&self, order: Ordering) -> $integer {
                    delay();
                    self.0.load(order)
                }
                /// As the standard library's.
                pub fn store(&self, value: $integer, order: Ordering) {
                    delay();
                    self.0.store(value, order);
                }
                /// As the standard library's.
                pub fn swap(&self, value: $integer, order: Ordering) -> $integer {
                    delay();
                    self.0.swap(value, order)
                }
                /// As the standard library's.
                pub fn fetch_add(&self, value: $integer, order: Ordering) -> $integer {
                    delay();
                    self.0.fetch_add(value, order)
                }
                /// As the standard library's.
                pub fn fetch_and(&self, value: $integer, order: Ordering) -> $integer {
                    delay();
                    self.0.fetch_and(value, order)
                }
                /// As the standard library's.
                pub fn compare_exchange(
                    &self,
                    current: $integer,
                    new: $integer,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$integer, $integer> {
                    delay();
                    self.0.compare_exchange(current, new, success, failure)
                }
            }

            impl Default for $name {
                fn default() -> Self {
                    Self::new(0)
                }
            }

            /// What is not delayed, and what the kernel is told.
            impl Deref for $name {
                type Target = core::sync::atomic::$name;
                fn deref(&self) -> &Self::Target {
                    &self.0
                }
            }
        };
    }
    delayed_atomic!(AtomicU32, u32);
    delayed_atomic!(AtomicU64, u64);
}

#[cfg(loom)]
mod modelled {
    use super::Ordering;

    pub use loom::sync::atomic::fence;

    /// Death before the k-th shared access of a thread.
    pub mod crash {
        use std::cell::Cell;

        loom::thread_local! { static BUDGET: Cell<Option<u32>> = Cell::new(None); }

        /// What a dying thread unwinds with.
        #[derive(Debug)]
        pub struct Crashed;

        /// Lets this thread die before its access number `budget`; `None` lets it live.
        pub fn set_budget(budget: Option<u32>) -> Option<u32> {
            BUDGET.with(|cell| cell.replace(budget))
        }

        pub(super) fn point() {
            let dies = BUDGET.with(|cell| match cell.get() {
                Some(0) => true,
                Some(left) => {
                    cell.set(Some(left - 1));
                    false
                }
                None => false,
            });
            if dies {
                set_budget(None);
                std::panic::resume_unwind(Box::new(Crashed));
            }
        }
    }

    macro_rules! modelled_atomic {
        ($name:ident, $integer:ty) => {
            /// loom's atomic with a crash point before every access.
            #[derive(Debug)]
            pub struct $name(loom::sync::atomic::$name);

            impl $name {
                /// A word of its own, outside any mapping.
                pub fn new(value: $integer) -> Self {
                    Self(loom::sync::atomic::$name::new(value))
                }
                /// As the standard library's.
                pub fn load(&self, order: Ordering) -> $integer {
                    crash::point();
                    self.0.load(order)
                }
                /// As the standard library's.
                pub fn store(&self, value: $integer, order: Ordering) {
                    crash::point();
                    self.0.store(value, order);
                }
                /// As the standard library's.
                pub fn swap(&self, value: $integer, order: Ordering) -> $integer {
                    crash::point();
                    self.0.swap(value, order)
                }
                /// As the standard library's.
                pub fn fetch_add(&self, value: $integer, order: Ordering) -> $integer {
                    crash::point();
                    self.0.fetch_add(value, order)
                }
                /// As the standard library's.
                pub fn fetch_and(&self, value: $integer, order: Ordering) -> $integer {
                    crash::point();
                    self.0.fetch_and(value, order)
                }
                /// As the standard library's.
                pub fn compare_exchange(
                    &self,
                    current: $integer,
                    new: $integer,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$integer, $integer> {
                    crash::point();
                    self.0.compare_exchange(current, new, success, failure)
                }
            }
        };
    }
    modelled_atomic!(AtomicU32, u32);
    modelled_atomic!(AtomicU64, u64);
}
