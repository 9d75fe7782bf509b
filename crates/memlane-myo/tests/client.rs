//! The client against a dongle that says what the test has it say.

use memlane_myo::bgapi::{Command, Decoder, Event, Packet, Response, ResultCode, Source, ValueType};
use memlane_myo::{Client, Error, Result, Stop, Transport};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Plays a script: when a command comes, these packets are said.
#[derive(Default)]
struct Script {
    answers: VecDeque<Vec<Packet>>,
    outgoing: VecDeque<Vec<u8>>,
    decoder: Option<Decoder>,
}

impl Script {
    fn new(answers: Vec<Vec<Packet>>) -> Self {
        Self { answers: answers.into(), outgoing: VecDeque::new(), decoder: None }
    }
}

impl Transport for Script {
    fn receive(&mut self, bytes: &mut [u8], timeout: Duration) -> Result<usize> {
        let Some(packet) = self.outgoing.pop_front() else {
            std::thread::sleep(timeout);
            return Ok(0);
        };
        bytes[..packet.len()].copy_from_slice(&packet);
        Ok(packet.len())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let decoder = self.decoder.get_or_insert_with(|| Decoder::new(Source::Host));
        decoder.push(bytes);
        while decoder.next_packet().is_some() {
            let answer = self.answers.pop_front().unwrap_or_default();
            self.outgoing.extend(answer.iter().map(Packet::to_bytes));
        }
        Ok(())
    }
}

fn client(answers: Vec<Vec<Packet>>) -> Client<Script> {
    Client::new(Script::new(answers), Stop::default())
}

fn value(handle: u16, value_type: ValueType, byte: u8) -> Event {
    Event::AttributeValue { connection: 0, handle, value_type, value: vec![byte] }
}

fn completed(handle: u16, result: ResultCode) -> Event {
    Event::ProcedureCompleted { connection: 0, result, handle }
}

fn all_events(client: &mut Client<Script>) -> Vec<Event> {
    std::iter::from_fn(|| client.next_event(Duration::ZERO).unwrap()).map(|received| received.event).collect()
}

const OK: ResultCode = ResultCode::SUCCESS;

#[test]
fn events_before_a_response_are_queued_once_and_in_their_order() {
    let events = [value(0x2b, ValueType::Notify, 1), value(0x2e, ValueType::Notify, 2)];
    let mut answer: Vec<_> = events.iter().map(Event::to_packet).collect();
    answer.push(Response::AttributeWrite { connection: 0, result: OK }.to_packet());
    answer.push(value(0x31, ValueType::Notify, 3).to_packet());
    answer.push(completed(0x19, OK).to_packet());
    let mut client = client(vec![answer]);
    client.write_attribute(0, 0x19, &[3, 1, 1]).unwrap();
    let expected = [events[0].clone(), events[1].clone(), value(0x31, ValueType::Notify, 3)];
    assert_eq!(all_events(&mut client), expected);
    assert_eq!(all_events(&mut client), []);
}

#[test]
fn a_read_takes_the_value_of_its_attribute_and_no_other() {
    let mut client = client(vec![vec![
        Response::ReadByHandle { connection: 0, result: OK }.to_packet(),
        value(0x17, ValueType::Notify, 1).to_packet(),
        value(0x11, ValueType::Read, 2).to_packet(),
        value(0x17, ValueType::Read, 3).to_packet(),
    ]]);
    assert_eq!(client.read_attribute(0, 0x17).unwrap(), [3]);
    assert_eq!(all_events(&mut client), [value(0x17, ValueType::Notify, 1), value(0x11, ValueType::Read, 2)]);
}

#[test]
fn event_4_5_is_no_response_4_5() {
    let mut client = client(vec![vec![
        value(0x19, ValueType::Notify, 9).to_packet(),
        Response::AttributeWrite { connection: 0, result: OK }.to_packet(),
        completed(0x19, OK).to_packet(),
    ]]);
    client.write_attribute(0, 0x19, &[1]).unwrap();
    assert_eq!(all_events(&mut client).len(), 1);
}

#[test]
fn results_are_errors_with_names() {
    let refused = |answer: Vec<Packet>, what: &str| {
        let error = client(vec![answer]).write_attribute(0, 0x19, &[1]).unwrap_err().to_string();
        assert!(
            error.contains("attclient_attribute_write of attribute 0x19") && error.contains(what),
            "{error}"
        );
    };
    refused(
        vec![Response::AttributeWrite { connection: 0, result: ResultCode::NOT_CONNECTED }.to_packet()],
        "0x0186 not connected",
    );
    let begun = Response::AttributeWrite { connection: 0, result: OK }.to_packet();
    refused(
        vec![begun, completed(0x19, ResultCode::WRITE_NOT_PERMITTED).to_packet()],
        "0x0403 write not permitted",
    );
    refused(
        vec![Event::ProtocolError { reason: ResultCode(0x0185) }.to_packet()],
        "0x0185 command too long or wrong",
    );
    let begun = Response::ReadByHandle { connection: 0, result: OK }.to_packet();
    let answer = vec![begun, completed(0x99, ResultCode::INVALID_HANDLE).to_packet()];
    let error = client(vec![answer]).read_attribute(0, 0x99).unwrap_err();
    assert!(matches!(error, Error::Refused { result: ResultCode::INVALID_HANDLE, .. }), "{error}");
}

#[test]
fn the_end_of_the_connection_ends_the_wait() {
    let begun = Response::AttributeWrite { connection: 0, result: OK }.to_packet();
    let gone = |connection| Event::Disconnected { connection, reason: ResultCode::SUPERVISION_TIMEOUT };
    let answer = vec![begun, gone(1).to_packet(), gone(0).to_packet()];
    let error = client(vec![answer]).write_attribute(0, 0x19, &[1]).unwrap_err();
    assert!(matches!(error, Error::Disconnected { reason: ResultCode::SUPERVISION_TIMEOUT }), "{error}");
}

#[test]
fn a_response_that_does_not_come_is_an_error_and_a_late_one_answers_nothing() {
    let late = Response::Discover { result: ResultCode::WRONG_STATE }.to_packet();
    let mut client = client(vec![vec![], vec![late, Response::EndProcedure { result: OK }.to_packet()]]);
    let started = Instant::now();
    let error = client.request(&Command::Discover { mode: 1 }).unwrap_err();
    assert!(error.to_string().contains("the response to gap_discover, which did not come"), "{error}");
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.request(&Command::EndProcedure).unwrap(), Response::EndProcedure { result: OK });
}

#[test]
fn waiting_for_an_event_leaves_the_others() {
    let said: Vec<_> = [1, 2, 3].map(|byte| value(0x2b, ValueType::Notify, byte).to_packet()).into();
    let answer = [vec![Response::EndProcedure { result: OK }.to_packet()], said].concat();
    let mut client = client(vec![answer]);
    client.ask(&Command::EndProcedure).unwrap();
    let second = value(0x2b, ValueType::Notify, 2);
    let found = client.wait_event(4, 5, |event| *event == second, Duration::from_secs(1)).unwrap();
    assert_eq!(found.event, second);
    let error = client.wait_event(4, 5, |event| *event == second, Duration::from_millis(20)).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(
        all_events(&mut client),
        [value(0x2b, ValueType::Notify, 1), value(0x2b, ValueType::Notify, 3)]
    );
}

#[test]
fn half_a_packet_is_given_up_after_a_while() {
    let mut half = Packet::to_bytes(&completed(0x19, OK).to_packet());
    half.truncate(6);
    let mut client = client(vec![]);
    client.ask(&Command::EndProcedure).unwrap_err();
    // Lost in the middle; the next packets are whole.
    let mut script = Script::new(vec![vec![Response::EndProcedure { result: OK }.to_packet()]]);
    script.outgoing.push_back(half);
    let mut client = Client::new(script, Stop::default());
    assert_eq!(client.next_event(Duration::from_millis(400)).unwrap(), None);
    assert_eq!(client.skipped(), 6);
    client.request(&Command::EndProcedure).unwrap();
}

#[test]
fn a_stop_ends_any_wait() {
    let stop = Stop::default();
    stop.request();
    let mut client = Client::new(Script::default(), stop);
    assert!(matches!(client.request(&Command::EndProcedure), Err(Error::Stopped)));
    assert!(matches!(client.next_event(Duration::from_mins(1)), Err(Error::Stopped)));
}
