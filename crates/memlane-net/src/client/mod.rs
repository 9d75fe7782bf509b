//! The client: the regions of a host, as if they were here; and when they are, themselves.
//!
//! | module | what |
//! |---|---|
//! | `options` | where a host is, and how to reach it |
//! | `socket`, `tls` | the bytes |
//! | `secret` | the proof of being on the host's machine |
//! | `greeting` | a new connection, up to the host's welcome |
//! | `link` | a session over one connection after the other, shared by threads |
//! | `janitor` | what is to be done for a connection while nobody waits |
//! | `subscription` | what is new, as the host delivers it |
//! | `lease` | what the session holds |
//! | `place` | a region by its id, which all kinds are |
//! | `value` … `stream` | the kinds |
//!
//! A [`Client`] is cheap to clone and used by as many threads as one likes at once. Calls block; what waits (for a
//! lock, a message …) waits on the host.
//!
//! **When the network fails**, the client connects again by itself, for as long as [`Options::patience`] says, and
//! sends again what was not answered. What changes something is done exactly once, however often it is sent. Only
//! when the host was started anew, so that it cannot say any more what it did, a call that was underway ends with
//! [`Error::OutcomeUnknown`], and is never sent again. What the session held (locks, permits, leased messages, ends
//! of pipes) is then held no more, and using it gives the code `lease_ended`; the same happens after the host's grace
//! time without a connection.
//!
//! **On the host's machine** a client that may read the secret in the host's space is [`Mode::Local`]:
//! [`Client::space`] is the memory itself, which no loss of the host takes away. [`Client::why`] says why it is, or
//! not.
//!
//! ```no_run
//! use memlane_net::client::Client;
//! let client = Client::connect("192.168.1.5", Default::default())?; // the token is in MEMLANE_TOKEN
//! let speed = client.value("robot/speed");
//! let (now, _version): (f64, u64) = speed.read()?;
//! speed.store(&(now / 2.0))?;
//! let door = client.lock("door");
//! let guard = door.lock(None)?; // given back when it is dropped
//! for frame in client.frames("camera/front").subscribe(Default::default())? {
//!     let frame = frame?;
//!     println!("{} {:?}, {} missed", frame.sequence, frame.shape, frame.missed);
//! }
//! # Ok::<(), memlane_net::client::Error>(())
//! ```

mod error;
mod options;
mod secret;
mod socket;
pub(crate) mod tls;
mod wire;

mod bell;
mod greeting;
mod janitor;
mod link;

mod lease;
mod place;
mod subscription;

mod array;
mod barrier;
mod condition;
mod event;
mod frames;
mod lock;
mod pipe;
mod queue;
mod raw;
mod record;
mod rwlock;
mod semaphore;
mod stream;
mod text;
mod value;

mod handle;

pub use array::Array;
pub use barrier::Barrier;
pub use condition::Condition;
pub use error::{Error, Result};
pub use event::Event;
pub use frames::{Frame, FramePublisher, FrameSubscriber, Frames};
pub use handle::{Client, Mode, hosts_of};
pub use lock::{Lock, LockGuard};
pub use options::{Address, Options, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE};
pub use pipe::{Pipe, PipeEnd};
pub use place::{Conflict, Place};
pub use queue::{LeasedMessage, Message, Queue};
pub use raw::Raw;
pub use record::Record;
pub use rwlock::{RwLock, RwLockGuard};
pub use semaphore::{Permits, Semaphore};
pub use stream::{Batch, Stream, StreamPublisher, StreamSubscriber};
pub use subscription::{News, Subscription};
pub use text::Text;
pub use value::Value;
