//! A region's header: built once by its creator, distrusted by everybody else.
//!
//! [`Description`] is the checked, private copy that all later arithmetic uses; the bytes in the file are
//! never looked at again, so changing them under a running process has no effect.

use crate::kind::Kind;
use crate::layout::{self, Header, LAYOUT_VERSION, MAGIC, MAX_REGION_SIZE, MAX_SLOTS, PAGE};
use crate::os;
use crate::schema::Schema;
use zerocopy::{FromBytes, IntoBytes};

/// What a region says of itself, checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Description {
    /// What it is.
    pub kind: Kind,
    /// How its body is to be read; locks and their like have none.
    pub schema: Option<Schema>,
    /// Bytes of the file.
    pub total_size: u64,
    /// Participants it was made for.
    pub participants: u16,
    /// Removed by the last clean detach.
    pub ephemeral: bool,
    /// Tells it from its successor of the same id.
    pub uuid: [u8; 16],
    /// Nanoseconds since the Unix epoch.
    pub created: u64,
    /// Process that made it.
    pub creator_pid: u32,
    /// Program that made it.
    pub creator: String,
    /// What its maker wanted people to know.
    pub note: String,
    pub(crate) parameters: [u64; 8],
    pub(crate) control_size: usize,
    pub(crate) body_offset: usize,
}

/// What a kind wants of a new region.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) kind: Kind,
    pub(crate) schema: Option<Schema>,
    pub(crate) parameters: [u64; 8],
    /// Bytes that every participant maps for reading and writing, from the start of the file.
    pub(crate) control_size: usize,
    pub(crate) total_size: u64,
    /// First contents: offset and bytes.
    pub(crate) initial: Vec<(usize, Vec<u8>)>,
}

impl Blueprint {
    /// Of a kind without a schema whose body, zero at first, takes `body_size` bytes.
    pub(crate) fn plain(kind: Kind, slots: u16, parameters: [u64; 8], body_size: usize) -> Self {
        let size = layout::round_up(layout::body_offset(slots) + body_size, PAGE);
        Self {
            kind,
            schema: None,
            parameters,
            control_size: size,
            total_size: size as u64,
            initial: Vec::new(),
        }
    }

    /// The header's bytes.
    pub(crate) fn header(&self, slots: u16, ephemeral: bool, note: &str) -> Header {
        let schema = self.schema.as_ref().map(Schema::to_string).unwrap_or_default();
        let mut header = Header {
            magic: MAGIC,
            layout_version: LAYOUT_VERSION,
            kind: self.kind as u32,
            total_size: self.total_size,
            control_size: self.control_size as u64,
            body_offset: layout::body_offset(slots) as u64,
            slots: u32::from(slots),
            flags: if ephemeral { layout::FLAG_EPHEMERAL } else { 0 },
            uuid: os::process::random_id(),
            created: os::clock::wall(),
            creator_pid: os::process::pid(),
            schema_length: schema.len() as u32,
            note_length: note.len() as u32,
            checksum: 0,
            creator: padded(&os::process::program_name()),
            parameters: self.parameters,
            reserved: [0; 64],
            schema: padded(&schema),
            note: padded(note),
        };
        header.checksum = checksum(&header);
        header
    }
}

impl Description {
    /// Checks the first bytes of a file of `file_size` bytes. The error says what was expected and found.
    pub(crate) fn parse(bytes: &[u8], file_size: u64) -> Result<Self, String> {
        let (header, _) = Header::read_from_prefix(bytes).map_err(|_| {
            format!("it has {} bytes, and the header alone takes {}", bytes.len(), size_of::<Header>())
        })?;
        check_identity(&header)?;
        let kind =
            Kind::from_number(header.kind).ok_or_else(|| format!("its kind {} is unknown", header.kind))?;
        let participants = check_slots(&header)?;
        check_sizes(&header, file_size, participants)?;
        let schema = used(&header.schema, header.schema_length, "schema")?;
        Ok(Self {
            kind,
            schema: parse_schema(schema)?,
            total_size: header.total_size,
            participants,
            ephemeral: header.flags & layout::FLAG_EPHEMERAL != 0,
            uuid: header.uuid,
            created: header.created,
            creator_pid: header.creator_pid,
            creator: until_zero(&header.creator),
            note: used(&header.note, header.note_length, "note")?.to_owned(),
            parameters: header.parameters,
            control_size: header.control_size as usize,
            body_offset: header.body_offset as usize,
        })
    }
}

fn check_identity(header: &Header) -> Result<(), String> {
    if header.magic != MAGIC {
        return Err(format!("it begins with {:02x?} instead of {MAGIC:02x?}", header.magic));
    }
    if header.layout_version != LAYOUT_VERSION {
        return Err(format!(
            "its layout version is {}, and this program reads {LAYOUT_VERSION}",
            header.layout_version
        ));
    }
    let expected = checksum(header);
    if header.checksum != expected {
        return Err(format!("its header's checksum is {:08x} instead of {expected:08x}", header.checksum));
    }
    Ok(())
}

fn check_slots(header: &Header) -> Result<u16, String> {
    u16::try_from(header.slots).ok().filter(|slots| (1..=MAX_SLOTS).contains(slots)).ok_or_else(|| {
        format!("it has {} participant slots, and 1 to {MAX_SLOTS} are possible", header.slots)
    })
}

fn check_sizes(header: &Header, file_size: u64, slots: u16) -> Result<(), String> {
    let body = layout::body_offset(slots) as u64;
    if header.body_offset != body {
        return Err(format!("its body begins at {} instead of {body}", header.body_offset));
    }
    let sizes_fit = body <= header.control_size
        && header.control_size <= header.total_size
        && header.total_size <= MAX_REGION_SIZE
        && header.control_size.is_multiple_of(PAGE as u64);
    if !sizes_fit {
        return Err(format!("its sizes {} of {} make no sense", header.control_size, header.total_size));
    }
    if file_size < header.total_size {
        return Err(format!("it is truncated: {file_size} of {} bytes are left", header.total_size));
    }
    Ok(())
}

fn parse_schema(text: &str) -> Result<Option<Schema>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| format!("its schema `{text}` does not parse: {error}"))
}

fn checksum(header: &Header) -> u32 {
    let mut copy = header.clone();
    copy.checksum = 0;
    crc32fast::hash(copy.as_bytes())
}

/// The used part of a text field.
fn used<'a>(field: &'a [u8], length: u32, what: &str) -> Result<&'a str, String> {
    let bytes = field.get(..length as usize).ok_or_else(|| format!("its {what} claims {length} bytes"))?;
    std::str::from_utf8(bytes).map_err(|_| format!("its {what} is not UTF-8"))
}

/// As much of `text` as fits, cut at a character, zero-padded.
pub(crate) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let end = text.floor_char_boundary(N);
    for (to, from) in field.iter_mut().zip(text.bytes().take(end)) {
        *to = from;
    }
    field
}

/// The text before the padding; what is not UTF-8 is shown as a replacement character.
pub(crate) fn until_zero(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}
