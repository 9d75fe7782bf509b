//! A publisher that waits until there is room.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, ensure};
use harness::{Keeps, PATIENCE, Passing, Receiver, Sender, Terms, Wait};
use zenoh::bytes::ZBytes;
use zenoh::handlers::FifoChannelHandler;
use zenoh::liveliness::LivelinessToken;
use zenoh::pubsub;
use zenoh::qos::CongestionControl;
use zenoh::sample::Sample;
use zenoh::shm::{
    BlockOn, GarbageCollect, PosixShmProviderBackend, ShmProvider, ShmProviderBuilder, ZShmMut,
};
use zenoh::{Config, Session, Wait as _};

/// Express, each message leaves at once; else those that come soon after each other leave together.
pub(crate) enum Put<const EXPRESS: bool> {}

impl<const EXPRESS: bool> Passing for Put<EXPRESS> {
    const NAME: &'static str = if EXPRESS { "publisher, express" } else { "publisher" };
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = true;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        Publisher::new(terms, lane, EXPRESS)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        Subscriber::new(terms, lane)
    }
}

/// What is smaller costs less in the message than beside it, says Zenoh's own configuration.
const SHARED_FROM: usize = 3072;

/// A session for a lane: its sender listens, its receivers connect. Nobody looks around for others.
fn session(lane: &str, is_sender: bool) -> Result<Session> {
    let socket = std::env::temp_dir().join(format!("zenoh-{lane}"));
    let endpoint = format!("unixsock-stream/{}", socket.display());
    let there = serde_json::to_string(&[endpoint])?;
    let (listen, connect) = if is_sender { (there.as_str(), "[]") } else { ("[]", there.as_str()) };
    let mut config = Config::default();
    for (key, value) in [
        ("mode", r#""peer""#),
        ("listen/endpoints", listen),
        ("connect/endpoints", connect),
        ("connect/timeout_ms", &PATIENCE.as_millis().to_string()),
        ("connect/exit_on_failure", "true"),
        // The other end may come a little later, or again after it was killed.
        ("connect/retry", r#"{ "period_init_ms": 10, "period_max_ms": 100, "period_increase_factor": 2 }"#),
        ("scouting/multicast/enabled", "false"),
        ("scouting/gossip/enabled", "false"),
        ("transport/shared_memory/enabled", "true"),
        // From the beginning, not at the first message.
        ("transport/shared_memory/mode", r#""init""#),
    ] {
        config.insert_json5(key, value).map_err(|error| Error::msg(format!("{key}: {error}")))?;
    }
    zenoh::open(config).wait().map_err(Error::from_boxed)
}

pub(crate) struct Publisher {
    publisher: pubsub::Publisher<'static>,
    memory: ShmProvider<PosixShmProviderBackend>,
    size: usize,
    _session: Session,
}

impl Publisher {
    /// Waits until all receivers have said that they are there: nothing is kept for those who come later.
    fn new(terms: &Terms, lane: &str, express: bool) -> Result<Self> {
        let session = session(lane, true)?;
        let publisher = session
            .declare_publisher(lane.to_owned())
            .congestion_control(CongestionControl::Block)
            .express(express)
            .wait()
            .map_err(Error::from_boxed)?;
        // As much as shared memory that Zenoh makes itself, and some messages if they are large.
        let memory = ShmProviderBuilder::default_backend((16 << 20).max(terms.size * 4)).wait();
        let memory = memory.map_err(Error::from_boxed)?;
        let begin = Instant::now();
        while here(&session, lane)? < terms.readers {
            ensure!(begin.elapsed() < PATIENCE, "{} of {} receivers", here(&session, lane)?, terms.readers);
            sleep(Duration::from_millis(5));
        }
        Ok(Self { publisher, memory, size: terms.size, _session: session })
    }

    fn place(&self, size: usize) -> Result<ZShmMut> {
        Ok(self.memory.alloc(size).with_policy::<BlockOn<GarbageCollect>>().wait()?)
    }

    fn put(&self, payload: impl Into<ZBytes>) -> Result<()> {
        self.publisher.put(payload).wait().map_err(Error::from_boxed)
    }
}

/// How many receivers are there.
fn here(session: &Session, lane: &str) -> Result<usize> {
    let tokens = session.liveliness().get(format!("{lane}/*")).wait().map_err(Error::from_boxed)?;
    Ok(tokens.iter().count())
}

impl Sender for Publisher {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        if message.len() < SHARED_FROM {
            return self.put(message);
        }
        let mut place = self.place(message.len())?;
        place.copy_from_slice(message);
        self.put(place)
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        let mut place = self.place(self.size)?;
        write(&mut place);
        self.put(place)
    }
}

pub(crate) struct Subscriber {
    subscriber: pubsub::Subscriber<FifoChannelHandler<Sample>>,
    wait: Wait,
    _here: LivelinessToken,
    _session: Session,
}

impl Subscriber {
    fn new(terms: &Terms, lane: &str) -> Result<Self> {
        let session = session(lane, false)?;
        let subscriber = session.declare_subscriber(lane.to_owned()).wait().map_err(Error::from_boxed)?;
        let token = format!("{lane}/{}", session.zid());
        let here = session.liveliness().declare_token(token).wait().map_err(Error::from_boxed)?;
        Ok(Self { subscriber, wait: terms.wait, _here: here, _session: session })
    }
}

impl Receiver for Subscriber {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let sample = match self.wait {
            Wait::Asleep => self.subscriber.recv().map_err(Error::from_boxed)?,
            Wait::Busy => loop {
                if let Some(sample) = self.subscriber.try_recv().map_err(Error::from_boxed)? {
                    break sample;
                }
                // What puts messages there are threads of this process, which have no other core.
                std::thread::yield_now();
            },
        };
        Ok(look(&sample.payload().to_bytes()))
    }
}
