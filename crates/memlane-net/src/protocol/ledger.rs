//! The host's half of exactly once: what a session was answered, until it says that the answer arrived.
//!
//! Requests are numbered without gaps. One that comes again gives the recorded answer if it [is remembered], else it is
//! done again: it only looks. So whatever the network loses, repeats or cuts, a change happens once.
//!
//! [is remembered]: super::operation::Operation::is_remembered

use std::collections::BTreeMap;

/// What a session was answered; `A` is an answer, cheap to clone.
#[derive(Debug)]
pub struct Ledger<A> {
    /// The newest request that was seen.
    newest: u64,
    /// Answers up to this one arrived.
    acknowledged: u64,
    entries: BTreeMap<u64, Entry<A>>,
    /// Bytes of the answers that are kept.
    bytes: usize,
    most: u64,
}

#[derive(Debug)]
enum Entry<A> {
    /// To be answered, and remembered then or not.
    Underway { remembered: bool },
    /// So, in so many bytes.
    Answered(A, usize),
}

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission<A> {
    /// It is to be done.
    Do,
    /// It was done, and this was the answer.
    Done(A),
    /// It is being done; the answer will be given once.
    Underway,
    /// Its number is not the next one, or its answer was acknowledged: the client is in error.
    Unexpected {
        /// The number that would have been next.
        expected: u64,
    },
    /// Too many requests are unanswered or unacknowledged.
    TooMany,
}

impl<A: Clone> Ledger<A> {
    /// Of a session that has asked nothing yet, and may have `most` requests unanswered or unacknowledged.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { newest: 0, acknowledged: 0, entries: BTreeMap::new(), bytes: 0, most: most as u64 }
    }

    /// What to do with request `n`.
    pub fn admit(&mut self, n: u64, remembered: bool) -> Admission<A> {
        let expected = self.newest + 1;
        if n > expected || n <= self.acknowledged {
            return Admission::Unexpected { expected };
        }
        if n == expected {
            if n - self.acknowledged > self.most {
                return Admission::TooMany;
            }
            self.newest = n;
            self.entries.insert(n, Entry::Underway { remembered });
            return Admission::Do;
        }
        match self.entries.get(&n) {
            Some(Entry::Answered(answer, _)) => Admission::Done(answer.clone()),
            Some(Entry::Underway { remembered: true }) => Admission::Underway,
            Some(Entry::Underway { remembered: false }) => Admission::Do,
            None => {
                self.entries.insert(n, Entry::Underway { remembered });
                Admission::Do
            }
        }
    }

    /// Request `n` was answered so, in so many `bytes`.
    pub fn answered(&mut self, n: u64, answer: &A, bytes: usize) {
        match self.entries.get_mut(&n) {
            Some(entry @ Entry::Underway { remembered: true }) => {
                self.bytes += bytes;
                *entry = Entry::Answered(answer.clone(), bytes);
            }
            Some(Entry::Underway { remembered: false }) => {
                self.entries.remove(&n);
            }
            _ => {}
        }
    }

    /// Answers up to `n` arrived. Nothing that is still to be answered can be acknowledged.
    pub fn acknowledge(&mut self, n: u64) {
        let underway = |(n, entry): (&u64, &Entry<A>)| matches!(entry, Entry::Underway { .. }).then_some(*n);
        let first_underway = self.entries.iter().find_map(underway).unwrap_or(self.newest + 1);
        let n = n.min(first_underway - 1);
        if n <= self.acknowledged {
            return;
        }
        self.acknowledged = n;
        let kept = self.entries.split_off(&(n + 1));
        let forgotten = std::mem::replace(&mut self.entries, kept);
        self.bytes -= forgotten.values().map(Entry::len).sum::<usize>();
    }

    /// Bytes of the answers that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Requests that are to be answered.
    pub fn underway(&self) -> impl Iterator<Item = u64> {
        let underway = |(n, entry): (&u64, &Entry<A>)| matches!(entry, Entry::Underway { .. }).then_some(*n);
        self.entries.iter().filter_map(underway)
    }
}

impl<A> Entry<A> {
    fn len(&self) -> usize {
        match self {
            Self::Underway { .. } => 0,
            Self::Answered(_, bytes) => *bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_change_that_comes_again_gives_the_recorded_answer() {
        let mut ledger = Ledger::new(4);
        assert_eq!(ledger.admit(1, true), Admission::Do);
        assert_eq!(ledger.admit(1, true), Admission::Underway);
        ledger.answered(1, &"one", 3);
        assert_eq!(ledger.admit(1, true), Admission::Done("one"));
        ledger.acknowledge(1);
        assert_eq!((ledger.admit(1, true), ledger.bytes()), (Admission::Unexpected { expected: 2 }, 0));
    }

    #[test]
    fn a_look_that_comes_again_is_looked_at_anew() {
        let mut ledger = Ledger::new(4);
        assert_eq!((ledger.admit(1, false), ledger.admit(1, false)), (Admission::Do, Admission::Do));
        ledger.answered(1, &"one", 3);
        assert_eq!((ledger.admit(1, false), ledger.bytes()), (Admission::Do, 0));
    }

    #[test]
    fn gaps_and_floods_are_refused() {
        let mut ledger = Ledger::new(2);
        assert_eq!(ledger.admit(2, true), Admission::Unexpected { expected: 1 });
        assert_eq!((ledger.admit(1, true), ledger.admit(2, true)), (Admission::Do, Admission::Do));
        assert_eq!(ledger.admit(3, true), Admission::TooMany);
        ledger.answered(2, &"two", 3);
        ledger.acknowledge(2);
        assert_eq!(ledger.admit(3, true), Admission::TooMany, "the first is still to be answered");
        ledger.answered(1, &"one", 3);
        ledger.acknowledge(2);
        assert_eq!(ledger.admit(3, true), Admission::Do);
    }

    proptest! {
        /// Whatever is repeated, and however late acknowledgements come: each change is done once.
        #[test]
        fn each_change_is_done_once(steps in proptest::collection::vec((0_u64..4, any::<bool>(), any::<bool>()), 0..200)) {
            let mut ledger = Ledger::new(8);
            let (mut next, mut acknowledged) = (1_u64, 0_u64);
            let mut done = std::collections::BTreeSet::new();
            for (back, answers, acknowledges) in steps {
                let n = next.saturating_sub(back).max(acknowledged + 1);
                let admission = ledger.admit(n, true);
                if admission == Admission::Do {
                    prop_assert!(done.insert(n), "{n} was done before");
                }
                next = next.max(n + u64::from(admission != Admission::TooMany));
                if answers {
                    ledger.answered(n, &n, 8);
                }
                if acknowledges {
                    let all = ledger.underway().next().unwrap_or(next) - 1;
                    ledger.acknowledge(all);
                    acknowledged = acknowledged.max(all);
                }
            }
        }
    }
}
