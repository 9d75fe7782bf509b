//! The packets of a real session, byte for byte, both ways; and what is left of them between noise.

use memlane_myo::bgapi::{
    Address, Command, Decoder, Event, HEADER_SIZE, LONGEST_PAYLOAD, Packet, Response, ResultCode, Source,
    ValueType,
};
use memlane_myo::myo::attribute::{self, ADVERTISED_SERVICE};
use memlane_myo::myo::{
    Arm, Classifier, Control, EmgMode, Firmware, Imu, ImuMode, Mode, Notification, Pose, Rgb, Unlock,
    Vibration,
};
use proptest::prelude::*;

const ADDRESS: Address = Address([0x5d, 0x29, 0x37, 0xf5, 0x52, 0xc2]);

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hexadecimal.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// What a packet means, whoever sends it.
#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    Request(Command),
    Reply(Response),
    Told(Event),
}

use Meaning::{Reply, Request, Told};

impl Meaning {
    fn source(&self) -> Source {
        if matches!(self, Request(_)) { Source::Host } else { Source::Dongle }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Request(command) => command.to_packet(),
            Reply(response) => response.to_packet(),
            Told(event) => event.to_packet(),
        }
        .to_bytes()
    }

    fn of(source: Source, packet: &Packet) -> Option<Self> {
        match source {
            Source::Host => Command::from_packet(packet).map(Request),
            Source::Dongle => {
                Response::from_packet(packet).map(Reply).or_else(|| Event::from_packet(packet).map(Told))
            }
        }
    }
}

fn value(handle: u16, value_type: ValueType, value: &str) -> Meaning {
    Told(Event::AttributeValue { connection: 0, handle, value_type, value: bytes(value) })
}

fn write(handle: u16, value: Vec<u8>) -> Meaning {
    Request(Command::AttributeWrite { connection: 0, handle, value })
}

fn vectors() -> Vec<(&'static str, Meaning)> {
    let advertisement = [&[2, 1, 6, 17][..], &ADVERTISED_SERVICE].concat();
    let scan = Event::ScanResponse {
        rssi: -50,
        packet_type: 0,
        sender: ADDRESS,
        address_type: 0,
        bond: 0xff,
        data: advertisement,
    };
    let connect = Command::ConnectDirect {
        address: ADDRESS,
        address_type: 0,
        interval_min: 6,
        interval_max: 6,
        timeout: 64,
        latency: 0,
    };
    let connected = Event::ConnectionStatus {
        connection: 0,
        flags: 5,
        address: ADDRESS,
        address_type: 0,
        interval: 6,
        timeout: 64,
        latency: 0,
        bonding: 0xff,
    };
    let raw = Mode { emg: EmgMode::Raw, imu: ImuMode::Data, classifier: false };
    let success = ResultCode::SUCCESS;
    vec![
        ("00 00 06 04", Request(Command::EndProcedure)),
        ("00 02 06 04 81 01", Reply(Response::EndProcedure { result: ResultCode::WRONG_STATE })),
        ("00 01 03 00 01", Request(Command::Disconnect { connection: 1 })),
        (
            "00 03 03 00 01 86 01",
            Reply(Response::Disconnect { connection: 1, result: ResultCode::NOT_CONNECTED }),
        ),
        ("00 01 06 02 01", Request(Command::Discover { mode: 1 })),
        ("00 02 06 02 00 00", Reply(Response::Discover { result: success })),
        (
            "80 20 06 00 ce 00 5d 29 37 f5 52 c2 00 ff 15 02 01 06 11 06 42 48 12 4a 7f 2c 48 47 b9 de 04 a9 01 00 06 d5",
            Told(scan),
        ),
        ("00 0f 06 03 5d 29 37 f5 52 c2 00 06 00 06 00 40 00 00 00", Request(connect)),
        ("00 03 06 03 00 00 00", Reply(Response::ConnectDirect { result: success, connection: 0 })),
        ("80 10 03 00 00 05 5d 29 37 f5 52 c2 00 06 00 40 00 00 00 ff", Told(connected)),
        ("00 03 04 04 00 17 00", Request(Command::ReadByHandle { connection: 0, handle: 0x17 })),
        (
            "80 0d 04 05 00 17 00 00 08 01 00 05 00 b2 07 02 00",
            value(attribute::FIRMWARE, ValueType::Read, "01 00 05 00 b2 07 02 00"),
        ),
        ("00 06 04 05 00 1d 00 02 01 00", write(attribute::IMU_NOTIFY, attribute::NOTIFY.to_vec())),
        ("00 03 04 05 00 00 00", Reply(Response::AttributeWrite { connection: 0, result: success })),
        (
            "80 05 04 01 00 00 00 1d 00",
            Told(Event::ProcedureCompleted { connection: 0, result: success, handle: 0x1d }),
        ),
        (
            "00 07 04 05 00 19 00 03 03 01 01",
            write(attribute::COMMAND, Control::Vibrate(Vibration::Short).to_bytes()),
        ),
        ("00 09 04 05 00 19 00 05 01 03 03 01 00", write(attribute::COMMAND, Control::Mode(raw).to_bytes())),
        (
            "80 15 04 05 00 2b 00 01 10 ce cf d0 d1 d2 d3 d4 d5 cf d0 d1 d2 d3 d4 d5 d6",
            value(attribute::EMG[0], ValueType::Notify, "ce cf d0 d1 d2 d3 d4 d5 cf d0 d1 d2 d3 d4 d5 d6"),
        ),
        (
            "80 19 04 05 00 1c 00 01 14 00 40 00 00 00 00 00 00 00 00 00 00 00 08 00 00 00 00 10 00",
            value(
                attribute::IMU,
                ValueType::Notify,
                "00 40 00 00 00 00 00 00 00 00 00 00 00 08 00 00 00 00 10 00",
            ),
        ),
    ]
}

fn decode(source: Source, pieces: &[&[u8]]) -> Vec<Meaning> {
    let mut decoder = Decoder::new(source);
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(packet) = decoder.next_packet() {
            found.extend(Meaning::of(source, &packet));
        }
    }
    assert!(!decoder.is_unfinished());
    assert_eq!(decoder.skipped(), 0);
    found
}

#[test]
fn each_packet_means_what_it_says_and_is_written_so() {
    for (hexadecimal, meaning) in vectors() {
        let bytes = bytes(hexadecimal);
        assert_eq!(meaning.to_bytes(), bytes, "{meaning:?}");
        assert_eq!(decode(meaning.source(), &[&bytes]), [meaning]);
    }
}

#[test]
fn each_packet_may_come_in_any_two_pieces_and_in_single_bytes() {
    for (hexadecimal, meaning) in vectors() {
        let bytes = bytes(hexadecimal);
        for split in 0..=bytes.len() {
            let (first, second) = bytes.split_at(split);
            assert_eq!(
                decode(meaning.source(), &[first, second]),
                std::slice::from_ref(&meaning),
                "split at {split}"
            );
            for after in split..=bytes.len() {
                let pieces = [first, &bytes[split..after], &bytes[after..]];
                assert_eq!(
                    decode(meaning.source(), &pieces),
                    std::slice::from_ref(&meaning),
                    "{split}, {after}"
                );
            }
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(decode(meaning.source(), &single), [meaning]);
    }
}

#[test]
fn packets_that_come_together_come_apart_again() {
    let (from_dongle, _): (Vec<_>, Vec<_>) = vectors()
        .into_iter()
        .map(|(_, meaning)| meaning)
        .partition(|meaning| meaning.source() == Source::Dongle);
    let bytes: Vec<u8> = from_dongle.iter().flat_map(Meaning::to_bytes).collect();
    for size in 1..=bytes.len() {
        let pieces: Vec<_> = bytes.chunks(size).collect();
        assert_eq!(decode(Source::Dongle, &pieces), from_dongle, "in pieces of {size}");
    }
}

#[test]
fn values_of_a_real_armband_mean_what_was_measured() {
    let emg = Notification::of(0x2b, &bytes("fe 02 00 ff 00 00 ff 03 04 11 00 00 fe fe 03 04"));
    let samples = [[-2, 2, 0, -1, 0, 0, -1, 3], [4, 17, 0, 0, -2, -2, 3, 4]];
    assert_eq!(emg, Some(Notification::Emg { turn: 0, samples }));
    let ramp = Notification::of(0x34, &bytes("ce cf d0 d1 d2 d3 d4 d5 cf d0 d1 d2 d3 d4 d5 d6"));
    let samples = [[-50, -49, -48, -47, -46, -45, -44, -43], [-49, -48, -47, -46, -45, -44, -43, -42]];
    assert_eq!(ramp, Some(Notification::Emg { turn: 3, samples }));

    let filtered = Notification::of(0x27, &bytes("52 03 ce 00 61 00 79 01 d8 00 62 00 6f 00 73 01 00"));
    let channels = [850, 206, 97, 377, 216, 98, 111, 371];
    assert_eq!(filtered, Some(Notification::FilteredEmg { channels, moving: 0 }));

    let value = bytes("3e 2e ab 2b e5 f8 24 00 4e 01 bd 07 57 00 03 00 f5 ff fc ff");
    let Some(Notification::Imu(imu)) = Notification::of(0x1c, &value) else { panic!("no motion") };
    let near = |found: &[f32], expected: &[f32]| {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-6), "{found:?} {expected:?}");
    };
    near(&imu.quaternion(), &[0.72253, 0.68231, -0.11102, 0.00220]);
    near(&imu.acceleration(), &[0.16309, 0.96729, 0.04248]);
    near(&imu.rotation(), &[0.1875, -0.6875, -0.25]);
    assert_eq!(imu.to_bytes(), value);

    let still = Notification::of(0x1c, &bytes("00 40 00 00 00 00 00 00 00 00 00 00 00 08 00 00 00 00 10 00"));
    assert_eq!(still, Some(Notification::Imu(Imu([16384, 0, 0, 0, 0, 0, 2048, 0, 0, 16]))));

    let firmware = Firmware::of(&bytes("01 00 05 00 b2 07 02 00"));
    assert_eq!(firmware, Some(Firmware { major: 1, minor: 5, patch: 1970, hardware: 2 }));
    assert_eq!(firmware.unwrap().to_string(), "1.5.1970 on hardware 2");
}

#[test]
fn the_classifier_has_three_or_six_bytes() {
    let says = |value: &str| match Notification::of(0x23, &bytes(value)) {
        Some(Notification::Classifier(classifier)) => Some(classifier),
        _ => None,
    };
    assert_eq!(says("01 02 01 00 00 00"), Some(Classifier::Synced(Arm::Left, 1)));
    assert_eq!(says("02 00 00"), Some(Classifier::Unsynced));
    for (number, pose) in Pose::ALL.into_iter().enumerate() {
        assert_eq!(says(&format!("03 {number:02x} 00")), Some(Classifier::Pose(pose)));
    }
    assert_eq!(says("03 ff ff 00 00 00"), Some(Classifier::Pose(Pose::Unknown)));
    assert_eq!(says("04 00 00"), Some(Classifier::Unlocked));
    assert_eq!(says("05 00 00"), Some(Classifier::Locked));
    assert_eq!(says("06 00 00"), Some(Classifier::SyncFailed));
    assert_eq!(says("07 00 00"), None);
    assert_eq!(says("03 01"), None);
}

#[test]
fn values_of_a_wrong_length_mean_nothing() {
    for handle in [0x1c, 0x23, 0x27, 0x2b, 0x2e, 0x31, 0x34, 0x11, 0x1f, 0x99] {
        let expected = match handle {
            0x1c => 20..=20,
            0x27 => 17..=17,
            0x2b | 0x2e | 0x31 | 0x34 => 16..=16,
            0x11 => 1..=255,
            0x1f | 0x23 => 3..=255,
            _ => 255..=255,
        };
        for length in 0..64 {
            let found = Notification::of(handle, &vec![1; length]).is_some();
            assert_eq!(found, expected.contains(&length), "attribute {handle:#x}, {length} bytes");
        }
    }
}

#[test]
fn controls_are_the_bytes_that_the_armband_takes() {
    let mode = Mode { emg: EmgMode::Filtered200, imu: ImuMode::All, classifier: true };
    let controls = [
        ("01 03 02 03 01", Control::Mode(mode)),
        ("03 01 03", Control::Vibrate(Vibration::Long)),
        ("04 00", Control::DeepSleep),
        ("06 06 ff 80 00 00 40 20", Control::Leds(Rgb([0xff, 0x80, 0]), Rgb([0, 0x40, 0x20]))),
        ("09 01 01", Control::NeverSleep),
        ("0a 01 02", Control::Unlock(Unlock::Hold)),
        ("01 02 00 00", Control::OldStart),
        ("02 09 02 01 e8 03 64 14 32 00 00", Control::OldEmg),
    ];
    for (hexadecimal, control) in controls {
        assert_eq!(control.to_bytes(), bytes(hexadecimal));
        assert_eq!(Control::from_bytes(&bytes(hexadecimal)), Some(control));
    }
    let words = [
        ("vibrate medium", Control::Vibrate(Vibration::Medium)),
        ("leds ff8000 004020", Control::Leds(Rgb([0xff, 0x80, 0]), Rgb([0, 0x40, 0x20]))),
        ("mode filtered200 all", Control::Mode(mode)),
        ("sleep", Control::DeepSleep),
        ("awake", Control::NeverSleep),
        ("unlock hold", Control::Unlock(Unlock::Hold)),
        ("unlock", Control::Unlock(Unlock::Timed)),
        ("lock", Control::Unlock(Unlock::Lock)),
    ];
    for (text, control) in words {
        assert_eq!(text.parse(), Ok(control), "{text}");
    }
    for wrong in [
        "",
        "vibrate",
        "vibrate for ever",
        "leds red green",
        "leds +f8000 000000",
        "mode loud",
        "mode raw data maybe",
    ] {
        assert!(wrong.parse::<Control>().is_err(), "{wrong:?}");
    }
}

#[test]
fn long_packets_have_their_length_in_eleven_bits() {
    // The longest value that an array's length byte can say makes more than 255 bytes: 4 + (b0 & 7) + b1 would be
    // wrong.
    let event =
        Event::AttributeValue { connection: 0, handle: 3, value_type: ValueType::Read, value: vec![7; 252] };
    let bytes = event.to_packet().to_bytes();
    assert_eq!(bytes[..2], [0x81, 0x01]);
    assert_eq!(bytes.len(), HEADER_SIZE + 257);
    let packet = Packet { payload: bytes[HEADER_SIZE..].to_vec(), ..event.to_packet() };
    assert_eq!(Event::from_packet(&packet), Some(event));
    assert_eq!(LONGEST_PAYLOAD, 2047);
}

/// The longest packet of each kind, so that noise that looks like a header swallows no more than that.
fn longest(packet: &Packet) -> usize {
    match (packet.class, packet.command) {
        (6, 0) => 11 + 31,
        (2 | 4, _) => 7 + 22,
        _ => 3 + 64,
    }
}

#[test]
fn a_million_random_bytes_make_no_packet_that_cannot_be() {
    // SplitMix64, so that a failure can be repeated.
    let mut random = memlane_myo::simulator::Random::new(0x6d79_6f21);
    for source in [Source::Dongle, Source::Host] {
        let mut decoder = Decoder::new(source);
        let (mut given, mut packed) = (0, 0);
        while given < 1_000_000 {
            // Half of it made of bytes that headers are made of, so that many look like one.
            let often = [0x00, 0x80, 0x04, 0x05, 0x03, 0x06, 0x01, 0x02];
            let piece: Vec<u8> = (0..random.below(64))
                .map(|_| match random.below(2) {
                    0 => often[random.below(8) as usize],
                    _ => random.next_u64() as u8,
                })
                .collect();
            given += piece.len() as u64;
            decoder.push(&piece);
            while let Some(packet) = decoder.next_packet() {
                assert!(packet.payload.len() <= longest(&packet), "{packet:?}");
                assert!(Meaning::of(source, &packet).is_some(), "{packet:?}");
                packed += (HEADER_SIZE + packet.payload.len()) as u64;
            }
        }
        let waiting = given - packed - decoder.skipped();
        assert!(waiting <= 100, "each byte is of a packet or of none: {waiting} left");
    }
}

proptest! {
    #[test]
    fn noise_costs_only_the_packets_that_it_touches(
        noise in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 20),
    ) {
        let emg: Vec<_> = (0..20_u8)
            .map(|number| Event::AttributeValue {
                connection: 0,
                handle: attribute::EMG[usize::from(number % 4)],
                value_type: ValueType::Notify,
                // Many zeros: a decoder that takes four of them for a header stays out of step.
                value: [[number, 0, 0, 0], [0; 4], [0; 4], [0; 4]].concat(),
            })
            .collect();
        let mut decoder = Decoder::new(Source::Dongle);
        let mut found = Vec::new();
        for (noise, event) in noise.iter().zip(&emg) {
            decoder.push(noise);
            decoder.push(&event.to_packet().to_bytes());
            while let Some(packet) = decoder.next_packet() {
                found.extend(Event::from_packet(&packet));
            }
        }
        let ours: Vec<_> = found.iter().filter(|event| emg.contains(event)).collect();
        let order: Vec<_> =
            ours.iter().map(|event| emg.iter().position(|one| one == *event)).collect();
        prop_assert!(order.is_sorted(), "none twice, none before its time: {order:?}");
        // What noise makes of itself is at most as long as the longest packet: two of ours, in front of each of which
        // the noise must have looked like a header.
        prop_assert!(ours.len() >= 10, "{} of 20", ours.len());
    }

    #[test]
    fn hostile_payloads_are_refused_and_nothing_panics(
        kind in any::<bool>(),
        class in 0_u8..8,
        command in 0_u8..8,
        payload in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        use memlane_myo::bgapi::PacketKind;
        let kind = if kind { PacketKind::Event } else { PacketKind::Message };
        let packet = Packet { kind, class, command, payload };
        for source in [Source::Dongle, Source::Host] {
            if let Some(meaning) = Meaning::of(source, &packet) {
                prop_assert_eq!(meaning.to_bytes(), packet.to_bytes());
            }
        }
    }
}

#[test]
fn noise_before_a_packet_costs_nothing_and_a_lost_end_is_given_up() {
    let (hexadecimal, meaning) = vectors().remove(17);
    let packet = bytes(hexadecimal);
    let mut decoder = Decoder::new(Source::Dongle);
    decoder.push(&[0, 0, 0, 0, 0x0a, 0x0d, 0x11, 0x13, 0x03]);
    decoder.push(&packet);
    let found = decoder.next_packet().and_then(|packet| Meaning::of(Source::Dongle, &packet));
    assert_eq!(found, Some(meaning.clone()));
    // A packet whose end is lost takes the beginning of the next one, until somebody says that nothing more came.
    decoder.push(&packet[..7]);
    assert_eq!(decoder.next_packet(), None);
    decoder.give_up();
    decoder.push(&packet);
    let found = decoder.next_packet().and_then(|packet| Meaning::of(Source::Dongle, &packet));
    assert_eq!(found, Some(meaning));
}
