//! Talks with its partner through a pipe until one of them dies, and notices that.

use crate::ground::{Count, Ground, PARTICIPANTS};
use crate::random::Random;
use crate::sealed;
use memlane::{Error, PipeEnd, PipeSpec, Result, Side, Space};
use std::time::Duration;

const PIPE: &str = "works/pipe";
const MESSAGE: usize = 1000;
/// How long a wait is before the talker looks whether the run is over.
const PATIENCE: Duration = Duration::from_millis(200);
const REST: Duration = Duration::from_millis(1);
/// A death is noticed within so many milliseconds, as documented.
const PROMPT: u64 = 100;

pub(crate) fn perform(space: &Space, member: u64) -> Result<()> {
    let ground = Ground::open(space)?;
    let space = &space.clone().participants(PARTICIPANTS);
    let (side, partner) =
        if member.is_multiple_of(2) { (Side::Left, member + 1) } else { (Side::Right, member - 1) };
    let mut random = Random::new(u64::from(std::process::id()));
    while !ground.is_over() {
        match PipeEnd::open_or_create(space, PIPE, &PipeSpec::duplex(4000), side) {
            Ok(end) => talk(&end, &ground, member, partner, &mut random)?,
            Err(Error::EndTaken { .. }) => std::thread::sleep(REST),
            Err(error) => return Err(error),
        }
        ground.go_on(member);
    }
    Ok(())
}

/// The left one begins; each answers what it hears with the next number.
fn talk(end: &PipeEnd, ground: &Ground, member: u64, partner: u64, random: &mut Random) -> Result<()> {
    let mut number = 0;
    let mut heard = end.side() == Side::Left;
    while !ground.is_over() {
        let outcome = if heard {
            let mut message = vec![0; sealed::HEADER + random.index(MESSAGE)];
            sealed::seal(&mut message, number + 1);
            end.send(&message, Some(PATIENCE)).map(|()| {
                number += 1;
                heard = false;
            })
        } else {
            end.recv(Some(PATIENCE)).map(|message| {
                let said =
                    sealed::unseal(&message.bytes).unwrap_or_else(|why| panic!("a message is torn: {why}"));
                assert_eq!(said, number + 1, "a message was lost, or another's");
                number = said;
                heard = true;
                ground.add(Count::Words);
            })
        };
        match outcome {
            Ok(()) | Err(Error::Timeout { .. }) => ground.go_on(member),
            Err(Error::EndOfPipe { peer, .. } | Error::BrokenPipe { peer, .. }) => {
                if peer.ends_with("died") {
                    ground.add(Count::EndsSeen);
                    if ground.since_death(partner) > PROMPT {
                        ground.add(Count::EndsSeenLate);
                    }
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
