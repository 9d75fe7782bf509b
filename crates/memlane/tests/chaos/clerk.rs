//! Writes and reads what changes as a whole, and adds to a value.

use crate::ground::{Count, Ground, RECORD_SIZE, TEXT_SIZE};
use crate::random::mix;
use crate::sealed;
use memlane::{Result, Space};

pub(crate) fn perform(space: &Space, member: u64) -> Result<()> {
    let ground = Ground::open(space)?;
    let mut number = mix(u64::from(std::process::id()));
    let mut bytes = vec![0; RECORD_SIZE];
    while !ground.is_over() {
        number += 1;
        sealed::seal(&mut bytes, number);
        ground.record.write_bytes(&bytes)?;
        ground.text.write(&sealed::seal_text(number, TEXT_SIZE))?;
        ground.add(Count::Writes);
        read(&ground)?;
        ground.add(Count::Reads);
        ground.sum.add(1);
        ground.add(Count::Adds);
        ground.go_on(member);
    }
    Ok(())
}

/// Reads both and makes sure that they are whole. Nobody has ever seen them empty who has written before.
pub(crate) fn read(ground: &Ground) -> Result<()> {
    let (bytes, version) = ground.record.read_bytes()?;
    sealed::unseal(&bytes).unwrap_or_else(|why| panic!("the record is torn in version {version}: {why}"));
    let (text, version) = ground.text.read()?;
    sealed::unseal_text(&text).unwrap_or_else(|why| panic!("the text is torn in version {version}: {why}"));
    Ok(())
}
