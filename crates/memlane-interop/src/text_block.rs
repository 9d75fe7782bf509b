//! One text in 4096 bytes of POSIX shared memory, behind a lock byte.
//!
//! The arrangement of the "Shared Memory Manager", a Python program of two roles: its host makes a block with
//! `multiprocessing.shared_memory` and everybody who knows the block's name may read and replace the text in
//! it. Use [`TextBlock::create`] to be the host of such a block and [`TextBlock::attach`] to join one.
//! Between memlane programs a [`Text`](memlane::Text) does better: it wakes its readers, and nobody
//! overwrites what he has not seen.
//!
//! # Layout
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | lock: 0 free, 1 held |
//! | 1 | 4 | bytes of the text, `u32`, little-endian |
//! | 5 | 4091 | the text, UTF-8, then zeros |
//!
//! That is what the program's documentation says. Its code puts the number at 4 and then the text over all of
//! it but its lowest byte, so its blocks begin `lock 00 00 00 (length & 0xff)`. Both kinds are met; blocks are
//! written here as documented, with zeros behind the text, which both readers take rightly, and read by a rule
//! that tells the two apart:
//!
//! | `L`, the number at 1, and `R`, the bytes from 5 on without the zeros at their end | the text has |
//! |---|---|
//! | `L` is more than fits | `R` |
//! | `L` = `R` | `L` |
//! | `R` is a multiple of 256 (the code's lowest byte is 0 then, as is all of `L`) | `R` |
//! | else (documented, with something left behind it) | `L` |
//!
//! # What can go wrong with the layout, and what is done here
//!
//! The original looks at the lock byte and then sets it, so two of its kind, or one and memlane, may hold it
//! at once; it does not notice that a holder has died, and waits 5 seconds in vain from then on. A Python
//! process older than 3.13 that has attached a block removes its name when it ends.
//!
//! Here the byte is taken by one compare-exchange, readers take it too, and what was written is read again
//! before the lock is given back, and written again if another program has interfered. A host keeps a second
//! name for its block and gives the first one back ([`TextBlock::ensure_named`]). Memlane's own processes take
//! turns by a lock of the kernel, which ends with its process, and note beside the block what they do to the
//! byte.
//!
//! # Death of a holder
//!
//! | killed | the byte | the note | what the next one of memlane does |
//! |---|---|---|---|
//! | before the note | 0, or a foreign 1 | free | takes it, or waits for the foreign program |
//! | between note and byte, either way | 0 or 1 | changing | takes a 0; a 1 that stays is the dead one's, after ¼ s |
//! | holding it | 1 | held | takes it at once |
//! | in the middle of a text | 1 | writing, with all of the text | writes it to its end, takes the lock at once |
//! | after the byte is free, before the note is | 0 | changing | takes it |
//! | a foreign holder | 1 for ever | free | [`Error::LockTimeout`], as everybody: nobody can know that it is dead |
//!
//! So the text of a memlane writer is seen as a whole or not at all: who respects the lock sees nothing between.
//! A *foreign* writer that dies in the middle of a text leaves part of the old one and part of the new one, and
//! the lock held.
//!
//! # Example: an original peer's block
//!
//! ```
//! use memlane_interop::Name;
//! use memlane_interop::text_block::TextBlock;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let name = Name::in_directory(directory.path(), "psm_1a2b3c4d")?;
//! let mut bytes = [0; 4096];
//! bytes[4..9].copy_from_slice(b"\x04text"); // as the original's code leaves it
//! std::fs::write(name.path(), bytes)?;
//!
//! let block = TextBlock::attach(&name)?;
//! assert_eq!(block.read()?, "text");
//! block.write("你好\n")?; // white space at the end is left out, as the original does
//! assert_eq!(block.read()?, "你好");
//! assert_eq!(block.write_if("text", "later")?, Err("你好".to_owned()), "nobody overwrites what he has not seen");
//! # Ok(())
//! # }
//! ```

mod block;
mod error;
mod image;
mod lock;
mod record;

pub use block::TextBlock;
pub use error::Error;
pub use image::{BLOCK_BYTES, TEXT_BYTES_MAX, TEXT_OFFSET, check, trimmed};
pub use lock::{LOCK_OFFSET, LOCK_TIMEOUT};
