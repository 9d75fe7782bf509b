//! The client and a host that speaks TLS with a certificate of its own making.

use std::net::SocketAddr;
use std::time::Duration;

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Value};
use memlane_net::client::{Client, Error, Mode, Options};
use memlane_net::host::Tls;
use memlane_net::protocol::event::Delivery;
use memlane_net::protocol::operation::Specification;
use proxy::{Plan, Proxy};
use served::Served;

mod proxy;
mod served;

const SOON: Option<Duration> = Some(Duration::from_secs(10));

/// A picture of a camera: its rows, columns and channels, and how many bytes that is.
const SHAPE: [usize; 3] = [404, 640, 3];
const FRAME: usize = 404 * 640 * 3;

fn with_tls() -> Served {
    Served::new(|host| host.tls(Tls::self_made()))
}

fn fingerprint(served: &Served) -> &str {
    served.host.fingerprint().unwrap()
}

/// Everything through the host, by way of `address`.
fn remote(served: &Served, address: SocketAddr) -> Client {
    let options = served.options().fingerprint(fingerprint(served));
    Client::connect(&address.to_string(), options).unwrap()
}

/// Why a client of these options does not reach the host.
fn refusal(host: &Served, options: Options) -> String {
    let error = Client::connect(&host.address().to_string(), options).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn with_the_right_fingerprint_everything_works() {
    let fixture = with_tls();
    let client = remote(&fixture, fixture.address());
    assert_eq!(client.mode(), Mode::Remote);
    let specification =
        Specification { kind: "value".into(), schema: Some("i64".into()), ..Specification::default() };
    client.create("v", specification, false).unwrap();
    for sum in 1..=500 {
        assert_eq!(client.value("v").add(&1).unwrap(), sum);
    }
    assert_eq!(Value::<i64>::open(&fixture.space, "v").unwrap().load(), 500);

    let [rows, columns, channels] = SHAPE;
    let spec = FrameSpec::image(rows, columns, channels, Primitive::U8);
    let mut camera = FramePublisher::create(&fixture.space, "camera", &spec).unwrap();
    let frames = client.frames("camera").subscribe(Delivery::default()).unwrap();
    for sequence in 1..=20_u8 {
        let mut frame = camera.loan().unwrap();
        frame.fill(sequence);
        frame.publish();
        let frame = frames.next(SOON).unwrap().expect("it comes");
        assert_eq!((frame.sequence, frame.missed), (sequence.into(), 0));
        assert!(frame.bytes.len() == FRAME && frame.bytes.iter().all(|&byte| byte == sequence));
    }
    // The other way, in many records of TLS.
    drop(camera);
    let picture: Vec<u8> = (0..FRAME).map(|index| (index % 251) as u8).collect();
    assert_eq!(client.frames("camera").publisher().publish(picture.clone()).unwrap(), 21);
    let frame = frames.next(SOON).unwrap().expect("it comes");
    assert!(frame.sequence == 21 && frame.bytes == picture);
}

#[test]
fn a_connection_that_is_cut_anywhere_is_made_again() {
    let fixture = with_tls();
    let sum = Value::<i64>::create(&fixture.space, "sum", 0).unwrap();
    // The first holds until it is cut here; those after it end in the handshake, then later and later.
    let plan = |connection| match connection {
        0 => Plan::default(),
        odd if odd % 2 == 1 => Plan { cut_request: Some(odd * 397), ..Plan::default() },
        even => Plan { cut_answer: Some(even * 397), ..Plan::default() },
    };
    let proxy = Proxy::new(fixture.address(), plan);
    let client = remote(&fixture, proxy.address());
    for round in 1..=200 {
        assert_eq!(client.value("sum").add(&1).unwrap(), round);
        if round % 50 == 0 {
            proxy.cut();
        }
    }
    assert_eq!(sum.load(), 200, "each was done once");
    assert!(proxy.connections() > 4, "{}", proxy.connections());
}

#[test]
fn another_certificate_is_not_taken() {
    let (fixture, other) = (with_tls(), with_tls());
    assert_ne!(fingerprint(&fixture), fingerprint(&other));
    let said = refusal(&fixture, fixture.options().fingerprint(fingerprint(&other)));
    assert!(said.contains("its certificate has another fingerprint than was given"), "{said}");
    let said = refusal(&fixture, fixture.options().tls());
    assert!(said.contains("its certificate is not taken (UnknownIssuer)"), "{said}");
    assert!(said.contains("give its fingerprint"), "{said}");
}

#[test]
fn one_speaks_tls_and_the_other_does_not() {
    let fixture = with_tls();
    let said = refusal(&fixture, fixture.options());
    assert!(said.contains("give its fingerprint"), "{said}");
    let plain = Served::new(|host| host);
    let said = refusal(&plain, plain.options().fingerprint(fingerprint(&fixture)));
    assert!(said.contains("it does not speak TLS"), "{said}");
}

#[test]
fn whoever_is_on_the_hosts_machine_has_the_memory_itself() {
    let fixture = with_tls();
    let options = Options::new().token("wrong").fingerprint(fingerprint(&fixture));
    let client = Client::connect(&fixture.address().to_string(), options).unwrap();
    assert_eq!(client.mode(), Mode::Local, "{}", client.why());
    Value::create(client.space().unwrap(), "a", 7_i64).unwrap();
    assert_eq!(client.value("a").read::<i64>().unwrap().0, 7);
    assert_eq!(Value::<i64>::open(&fixture.space, "a").unwrap().load(), 7);
}
