//! A bridge: a text region and a block kept in step, so that programs on either side see each other's writes.
//!
//! The region wakes whoever waits for it; the block wakes nobody and is looked at every [`POLL`]. Each write is
//! made on the condition that the other side is still what the change was based on, so a person's write is
//! never overwritten unseen:
//!
//! | changed since both were the same | what happens |
//! |---|---|
//! | neither | nothing |
//! | one | it is carried to the other |
//! | both, noticed at once | the region's stands: the block's is up to [`POLL`] old when it is noticed |
//! | the other one, while the first is carried | the other's stands, as it came later |
//!
//! What is overwritten then is given back by [`Bridge::step`], and said in `tracing`, with its text. What one
//! side cannot hold (more than 4091 bytes, a NUL, more than the region's capacity) stays where it is, and
//! nothing is carried until it is changed.
//!
//! Crash case: nothing is kept but what both sides were last. A bridge that begins anew carries the text of the
//! side that is not empty; if both have one, the region's stands.

use super::error::Error;
use memlane::Text;
use memlane_interop::text_block::{self, TextBlock};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest time between two looks at the block.
pub const POLL: Duration = Duration::from_millis(25);

/// Writes from both sides that meet again and again do so by a program, not by a person.
const ATTEMPTS: u32 = 16;

/// One end of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The text region.
    Region,
    /// The block, and whoever is connected to its host.
    Block,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Region => "region",
            Self::Block => "block",
        })
    }
}

/// What a look at both sides came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The side that was given the other's text.
    pub carried_to: Option<Side>,
    /// A text that was written at the same time as another and does not stand any more, with its side.
    pub lost: Option<(Side, String)>,
}

/// A text region and a block. Only one bridge should be between the two.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use memlane_interop::{Name, text_block::TextBlock};
/// use memlane_net::legacy::{Bridge, Side};
/// let space = memlane::Space::at(directory.path().join("space"))?;
/// let notes = memlane::Text::open_or_create(&space, "notes", 4096)?;
/// let block = std::sync::Arc::new(TextBlock::create(&Name::in_directory(directory.path(), "psm_1")?)?);
/// let mut bridge = Bridge::new(memlane::Text::open(&space, "notes")?, block.clone())?;
///
/// notes.write("from memlane")?;
/// assert_eq!(bridge.step()?.carried_to, Some(Side::Block));
/// assert_eq!(block.read()?, "from memlane");
///
/// block.write("from the original")?;
/// assert_eq!(bridge.step()?.carried_to, Some(Side::Region));
/// assert_eq!(notes.read()?.0, "from the original");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Bridge {
    text: Text,
    block: Arc<TextBlock>,
    /// When both sides were the same: the region's version and the block's text.
    agreed: (u64, String),
    /// The version that was looked at last.
    seen: u64,
}

/// A text on its way, and what stands where it goes: the block's text, or the region's version. If nobody on this
/// side has seen that yet, it is lost when the text arrives.
enum Carry {
    ToBlock { content: String, version: u64, over: String, over_is_unseen: bool },
    ToRegion { content: String, over: u64, unseen: Option<String> },
}

impl Bridge {
    /// Between the two. Nothing is carried before the first [`step`](Self::step).
    pub fn new(text: Text, block: Arc<TextBlock>) -> Result<Self, Error> {
        let (content, version) = text.read()?;
        // An empty region has nothing to say, and any other has.
        let agreed = if content.is_empty() { version } else { version.wrapping_sub(1) };
        Ok(Self { text, block, agreed: (agreed, String::new()), seen: agreed })
    }

    /// Waits for a change of the region, for up to [`POLL`]; then looks at both sides and carries what has
    /// changed. To be called again and again, also after an error, which may pass; it blocks its thread.
    ///
    /// # Errors
    /// [`Error::Block`] and [`Error::Region`]; for a text that the other side cannot hold too.
    pub fn step(&mut self) -> Result<Step, Error> {
        match self.text.wait_newer(self.seen, Some(POLL)) {
            Ok(_) | Err(memlane::Error::Timeout { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.seen = self.text.version();
        let mut step = Step::default();
        let Some(mut carry) = self.changed()? else { return Ok(step) };
        for _ in 0..ATTEMPTS {
            match self.try_carry(carry, &mut step)? {
                Some(overtaken) => carry = overtaken,
                None => break,
            }
        }
        Ok(step)
    }

    /// What is to be carried.
    fn changed(&mut self) -> Result<Option<Carry>, Error> {
        let (content, version) = self.text.read()?;
        let over = self.block.read()?;
        if text_block::check(&content).is_ok_and(|content| content == over) {
            self.agreed = (version, over);
            return Ok(None);
        }
        Ok(match (version != self.agreed.0, over != self.agreed.1) {
            (false, false) => None,
            (false, true) => Some(Carry::ToRegion { content: over, over: version, unseen: None }),
            (true, over_is_unseen) => {
                text_block::check(&content)?;
                Some(Carry::ToBlock { content, version, over, over_is_unseen })
            }
        })
    }

    /// Carries it; or gives back what came in between and is to be carried the other way.
    fn try_carry(&mut self, carry: Carry, step: &mut Step) -> Result<Option<Carry>, Error> {
        match carry {
            Carry::ToBlock { content, version, over, over_is_unseen } => {
                if let Err(later) = self.block.write_if(&over, &content)? {
                    let unseen = Some(content);
                    return Ok(Some(Carry::ToRegion { content: later, over: version, unseen }));
                }
                self.agreed = (version, text_block::trimmed(&content).to_owned());
                step.arrived(Side::Block, over_is_unseen.then_some(over));
            }
            Carry::ToRegion { content, over, unseen } => match self.text.write_if(over, &content)? {
                Ok(version) => {
                    (self.agreed, self.seen) = ((version, content), version);
                    step.arrived(Side::Region, unseen);
                }
                Err(later) => {
                    text_block::check(&later.content)?;
                    return Ok(Some(Carry::ToBlock {
                        content: later.content,
                        version: later.version,
                        over: content,
                        over_is_unseen: true,
                    }));
                }
            },
        }
        Ok(None)
    }
}

impl Step {
    /// A text has arrived on that side, where the other one stood.
    fn arrived(&mut self, side: Side, unseen: Option<String>) {
        self.carried_to = Some(side);
        if let Some(text) = unseen {
            tracing::warn!(%side, text, "both sides were written at once; this text does not stand");
            self.lost = Some((side, text));
        }
    }
}
