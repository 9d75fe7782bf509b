//! `memlane create KIND ID …`: makes a region, which must not exist.
//!
//! Its content begins with zeros, or with the initial value. `--json` prints its region document (module
//! `document`).

use std::fmt::Display;

use memlane::schema::{Datum, Primitive, Schema, SchemaError};
use memlane::{
    AnyArray, AnyValue, Barrier, Condition, Event, FramePublisher, FrameSpec, Kind, Lock, PipeSpec,
    Queue, QueueSpec, RLock, Raw, Record, RwLock, Semaphore, SignalSemaphore, Space, StreamPublisher,
    StreamSpec, Text,
};
use memlane_net::protocol::operation::Specification;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::datum_json::unfit;
use crate::words::text;
use crate::{datum_json, human};

/// Make a region
#[derive(Debug, clap::Args)]
#[command(subcommand_value_name = "KIND", subcommand_help_heading = "Kinds", disable_help_subcommand = true)]
pub(crate) struct Create {
    #[command(subcommand)]
    kind: NewRegion,

    #[command(flatten)]
    options: Options,
}

#[derive(Debug, clap::Subcommand)]
enum NewRegion {
    /// A scalar of up to 8 bytes, changed by one instruction
    #[command(allow_negative_numbers = true)]
    Value {
        /// Its id, such as robot/speed
        id: String,
        /// Its type: f64, u32, bool, …
        #[arg(value_parser = parse_scalar)]
        dtype: Primitive,
        /// What it is at first
        #[arg(default_value = "0", allow_hyphen_values = true)]
        initial: String,
    },
    /// A structure that changes as a whole
    Record {
        /// Its id
        id: String,
        /// Its fields, such as {x:f8,y:f8}, or struct:<dd in the words of Python's struct module
        #[arg(value_parser = parse_schema)]
        schema: Schema,
    },
    /// Elements that change one by one
    Array {
        /// Its id
        id: String,
        /// Its shape and type, such as [6]f32
        #[arg(value_parser = parse_schema)]
        schema: Schema,
    },
    /// Bytes, for programs that lay their own types over them
    Raw {
        /// Its id
        id: String,
        /// How many bytes, such as 4096 or 64K
        #[arg(long, value_name = "N", value_parser = human::parse_bytes)]
        size: usize,
    },
    /// UTF-8 of bounded length that changes as a whole
    Text {
        /// Its id
        id: String,
        /// The bytes that it has room for, such as 4096 or 64K
        #[arg(value_parser = human::parse_bytes)]
        capacity: usize,
    },
    /// Mutual exclusion
    Lock {
        /// Its id
        id: String,
    },
    /// Mutual exclusion that its holder may enter again
    Rlock {
        /// Its id
        id: String,
    },
    /// Many readers or one writer
    Rwlock {
        /// Its id
        id: String,
    },
    /// A number of permits, which return when their holder dies; or a counter that anybody may raise
    Semaphore {
        /// Its id
        id: String,
        /// How many permits there are, or how many tokens at first
        #[arg(default_value_t = 1)]
        count: u32,
        /// Nobody owns what is taken: one gives what another takes
        #[arg(long)]
        signal: bool,
        /// The most tokens there can be
        #[arg(long, value_name = "N", requires = "signal")]
        max: Option<u32>,
    },
    /// A flag to wait for
    Event {
        /// Its id
        id: String,
        /// Each setting lets one through
        #[arg(long)]
        auto_reset: bool,
    },
    /// Waiting for a predicate under a lock
    Condition {
        /// Its id
        id: String,
        /// How many threads can wait at once
        #[arg(long, value_name = "N", default_value_t = 128)]
        threads: u32,
    },
    /// A meeting of a number of parties
    Barrier {
        /// Its id
        id: String,
        /// How many have to arrive
        parties: u32,
    },
    /// Messages, each taken once
    Queue {
        /// Its id
        id: String,
        /// The bytes that it has room for, such as 64K
        #[arg(value_parser = human::parse_bytes)]
        capacity: usize,
        /// No more than so many messages at once
        #[arg(long, value_name = "N")]
        messages: Option<u32>,
        /// Keep messages until they are acknowledged
        #[arg(long)]
        acknowledged: bool,
    },
    /// Messages between two ends
    Pipe {
        /// Its id
        id: String,
        /// The bytes that each way has room for, such as 64K
        #[arg(value_parser = human::parse_bytes)]
        capacity: usize,
        /// Only the left end sends
        #[arg(long)]
        one_way: bool,
    },
    /// Records of fixed size, kept for a while
    Stream {
        /// Its id
        id: String,
        /// A record's schema, such as {emg:[8]i1,t:f8}
        #[arg(value_parser = parse_schema)]
        schema: Schema,
        /// How many records are kept at least
        #[arg(long, value_name = "N")]
        capacity: Option<u64>,
        /// The publisher waits for its readers as long as they live
        #[arg(long)]
        lossless: bool,
    },
    /// Pictures or other large frames, read in place
    Frames {
        /// Its id
        id: String,
        /// A picture's WIDTHxHEIGHTxCHANNELS in bytes, a schema such as [480,640]u16, or bytes:N for up to N
        /// bytes
        #[arg(value_parser = parse_frame)]
        frame: FrameSpec,
        /// How many frames stay on offer
        #[arg(long, value_name = "K")]
        history: Option<u32>,
        /// How many frames all subscribers together can hold
        #[arg(long, value_name = "E")]
        borrows: Option<u32>,
        /// How the bytes are to be understood: bgr8, rgb8, mono16, jpeg, …
        #[arg(long)]
        encoding: Option<String>,
    },
}

/// Over the options that regions of all kinds have.
const OF_ALL_KINDS: &str = "Options of every kind";

/// What regions of all kinds can be made with.
#[derive(Debug, clap::Args)]
struct Options {
    /// Room for so many participants, 1 to 4095
    #[arg(long, global = true, value_name = "N", help_heading = OF_ALL_KINDS)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=4095))]
    participants: Option<u16>,

    /// The file's mode: 600, 660 for its group, 644 to let everybody look
    #[arg(long, global = true, value_parser = parse_mode, help_heading = OF_ALL_KINDS)]
    mode: Option<u32>,

    /// A note for people
    #[arg(long, global = true, help_heading = OF_ALL_KINDS)]
    note: Option<String>,
}

impl Create {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let region = context.new_source()?.create(self)?;
        if context.json() {
            return context.print(region);
        }
        let (kind, id) = (text(&region["kind"]), text(&region["id"]));
        let schema = region["schema"].as_str().map(|schema| format!(" {schema}")).unwrap_or_default();
        let size = human::bytes(region["size"].as_u64().unwrap_or(0));
        context.print(human::printable(&format!("created {kind} {id}{schema}, {size}")))
    }

    /// Makes it here, and gives back its id.
    pub(crate) fn make(&self, space: &Space) -> Outcome<&str> {
        self.kind.create(&self.options.applied_to(space))
    }

    /// What a host is asked to make, and its id.
    pub(crate) fn specification(&self) -> Outcome<(&str, Specification)> {
        let Options { participants, mode, note } = &self.options;
        if mode.is_some() {
            let message = "the mode of a file is the host's to choose; create the region there to give it another";
            return Err(Failure::new(Exit::Usage, message));
        }
        let (id, specification) = self.kind.specification()?;
        Ok((id, Specification { participants: *participants, note: note.clone(), ..specification }))
    }
}

impl Options {
    fn applied_to(&self, space: &Space) -> Space {
        let mut space = space.clone();
        if let Some(participants) = self.participants {
            space = space.participants(participants);
        }
        if let Some(mode) = self.mode {
            space = space.mode(mode);
        }
        self.note.iter().fold(space, |space, note| space.note(note))
    }
}

impl NewRegion {
    /// Makes it and gives back its id.
    fn create(&self, space: &Space) -> Outcome<&str> {
        match self {
            Self::Value { id, dtype, initial } => {
                let initial = initial_value(id, *dtype, initial)?;
                Ok(AnyValue::create(space, id, *dtype, &initial).map(|_| id)?)
            }
            Self::Record { id, schema } => Ok(Record::create(space, id, schema.clone()).map(|_| id)?),
            Self::Array { id, schema } => Ok(AnyArray::create(space, id, schema.clone()).map(|_| id)?),
            Self::Raw { id, size } => Ok(Raw::create(space, id, *size).map(|_| id)?),
            Self::Text { id, capacity } => Ok(Text::create(space, id, *capacity).map(|_| id)?),
            Self::Lock { id } => Ok(Lock::create(space, id).map(|_| id)?),
            Self::Rlock { id } => Ok(RLock::create(space, id).map(|_| id)?),
            Self::Rwlock { id } => Ok(RwLock::create(space, id).map(|_| id)?),
            Self::Semaphore { id, count, signal, max } => match (signal, max) {
                (false, _) => Ok(Semaphore::create(space, id, *count).map(|_| id)?),
                (true, None) => Ok(SignalSemaphore::create(space, id, *count).map(|_| id)?),
                (true, Some(max)) => {
                    Ok(SignalSemaphore::create_bounded(space, id, *count, *max).map(|_| id)?)
                }
            },
            Self::Event { id, auto_reset: false } => Ok(Event::create(space, id).map(|_| id)?),
            Self::Event { id, auto_reset: true } => Ok(Event::create_auto_reset(space, id).map(|_| id)?),
            Self::Condition { id, threads } => Ok(Condition::create(space, id, *threads).map(|_| id)?),
            Self::Barrier { id, parties } => Ok(Barrier::create(space, id, *parties).map(|_| id)?),
            Self::Queue { id, capacity, messages, acknowledged } => {
                let spec =
                    messages.iter().fold(QueueSpec::bytes(*capacity), |spec, most| spec.messages(*most));
                let spec = if *acknowledged { spec.acknowledged() } else { spec };
                Ok(Queue::create(space, id, &spec).map(|_| id)?)
            }
            Self::Pipe { id, capacity, one_way } => {
                let spec = if *one_way { PipeSpec::one_way(*capacity) } else { PipeSpec::duplex(*capacity) };
                Ok(spec.create(space, id).map(|_| id)?)
            }
            Self::Stream { id, schema, capacity, lossless } => {
                let spec = StreamSpec::of(schema.clone());
                let spec = capacity.iter().fold(spec, |spec, records| spec.capacity(*records));
                let spec = if *lossless { spec.lossless() } else { spec };
                Ok(StreamPublisher::create(space, id, &spec).map(|_| id)?)
            }
            Self::Frames { id, frame, history, borrows, encoding } => {
                let spec = history.iter().fold(frame.clone(), |spec, history| spec.history(*history));
                let spec = borrows.iter().fold(spec, |spec, borrows| spec.borrows(*borrows));
                let spec = encoding.iter().fold(spec, |spec, encoding| spec.encoding(encoding));
                Ok(FramePublisher::create(space, id, &spec).map(|_| id)?)
            }
        }
    }
}

impl NewRegion {
    /// What a host is asked to make, and its id.
    fn specification(&self) -> Outcome<(&str, Specification)> {
        let of = |kind: Kind| Specification { kind: kind.name().to_owned(), ..Specification::default() };
        let with_schema = |kind, schema: &dyn Display| Specification { schema: Some(schema.to_string()), ..of(kind) };
        let sized = |kind, size: usize| Specification { capacity: Some(size as u64), ..of(kind) };
        Ok(match self {
            Self::Value { id, dtype, initial } => {
                let initial = Some(datum_json::to_json(&initial_value(id, *dtype, initial)?));
                (id, Specification { initial, ..with_schema(Kind::Value, &Schema::new(*dtype)) })
            }
            Self::Record { id, schema } => (id, with_schema(Kind::Record, schema)),
            Self::Array { id, schema } => (id, with_schema(Kind::Array, schema)),
            Self::Raw { id, size } => (id, sized(Kind::Raw, *size)),
            Self::Text { id, capacity } => (id, sized(Kind::Text, *capacity)),
            Self::Lock { id } => (id, of(Kind::Lock)),
            Self::Rlock { id } => (id, of(Kind::Rlock)),
            Self::Rwlock { id } => (id, of(Kind::Rwlock)),
            Self::Semaphore { id, count, signal, max } => {
                let count = Some(*count);
                (id, Specification { count, signal: *signal, most: *max, ..of(Kind::Semaphore) })
            }
            Self::Event { id, auto_reset } => {
                (id, Specification { auto_reset: *auto_reset, ..of(Kind::Event) })
            }
            Self::Condition { id, threads } => {
                (id, Specification { count: Some(*threads), ..of(Kind::Condition) })
            }
            Self::Barrier { id, parties } => {
                (id, Specification { count: Some(*parties), ..of(Kind::Barrier) })
            }
            Self::Queue { id, capacity, messages, acknowledged } => {
                let queue = sized(Kind::Queue, *capacity);
                (id, Specification { most: *messages, acknowledged: *acknowledged, ..queue })
            }
            Self::Pipe { id, capacity, one_way } => {
                (id, Specification { one_way: *one_way, ..sized(Kind::Pipe, *capacity) })
            }
            Self::Stream { id, schema, capacity, lossless } => {
                let stream = with_schema(Kind::Stream, schema);
                (id, Specification { capacity: *capacity, lossless: *lossless, ..stream })
            }
            Self::Frames { id, frame, history, borrows, encoding } => {
                let (history, borrows) = (*history, *borrows);
                let frame = encoding.iter().fold(frame.clone(), |spec, encoding| spec.encoding(encoding));
                let schema = frame.schema().map_err(unfit(id))?;
                let frames = match (frame.is_variable(), schema.encoding()) {
                    (false, _) => with_schema(Kind::Frames, schema),
                    (true, None) => sized(Kind::Frames, schema.size()),
                    (true, Some(_)) => {
                        let message = "a host makes frames of any length without an encoding; create the channel there";
                        return Err(Failure::new(Exit::Usage, message));
                    }
                };
                (id, Specification { history, borrows, ..frames })
            }
        })
    }
}

fn initial_value(id: &str, primitive: Primitive, text: &str) -> Outcome<Datum> {
    let parsed = datum_json::from_text(text, &primitive.into(), &[]);
    let fitting = parsed.and_then(|datum| primitive.bits_of(&datum).map(|_| datum));
    fitting.map_err(|error| Failure::new(Exit::Usage, format!("the initial value of `{id}`: {error}")))
}

fn parse_scalar(text: &str) -> Result<Primitive, String> {
    let schema = parse_schema(text)?;
    let plain = schema.native_scalar().filter(|primitive| schema == Schema::new(*primitive));
    plain.ok_or_else(|| format!("expected a scalar type such as f64, u32 or bool, found the schema {schema}"))
}

fn parse_schema(text: &str) -> Result<Schema, String> {
    let parsed = match text.strip_prefix("struct:") {
        Some(format) => Schema::from_struct_format(format),
        None => text.parse(),
    };
    parsed.map_err(|error: SchemaError| error.to_string())
}

/// A picture's size as people write it has the width first, a schema's shape the rows.
fn parse_frame(text: &str) -> Result<FrameSpec, String> {
    if let Some(capacity) = text.strip_prefix("bytes:") {
        return human::parse_bytes(capacity).map(FrameSpec::bytes);
    }
    let sizes: Option<Vec<usize>> = text.split('x').map(|size| size.parse().ok()).collect();
    match sizes.as_deref() {
        Some([width, height]) => Ok(FrameSpec::image(*height, *width, 1, Primitive::U8)),
        Some([width, height, channels]) => Ok(FrameSpec::image(*height, *width, *channels, Primitive::U8)),
        _ => parse_schema(text).map(FrameSpec::of),
    }
}

fn parse_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| (0o400..=0o777).contains(mode));
    mode.ok_or_else(|| {
        "expected an octal file mode with reading for its owner, such as 600, 660 or 644".to_owned()
    })
}
