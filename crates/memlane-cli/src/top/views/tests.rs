//! Each view on a screen of 80×24 without a terminal, and what keys do to it.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Modifier;
use serde_json::{Value, json};

use super::draw;
use crate::top::detail::{Content, Detail};
use crate::top::feed::News;
use crate::top::keys::handle;
use crate::top::order::Sort;
use crate::top::prompt::Prompt;
use crate::top::state::{State, View, Wanted};

fn row(id: &str, kind: &str, state: &str, rate: f64, preview: &str) -> Arc<Value> {
    Arc::new(json!({
        "id": id, "kind": kind, "state": state, "rate": rate, "bytes_per_second": null, "changed_at": null,
        "writer": null, "readers": 1, "lock_holder": null, "lock_alarm": false, "version": 7,
        "size": 16384, "schema": "<f8", "preview": preview, "unreadable": false,
    }))
}

fn state() -> State {
    let mut state = State::new("/dev/shm/test".to_owned(), false);
    state.take(News::Rows(vec![
        row("arm", "lock", "dead_owner", 0.0, "held by dead robot (pid 7)"),
        row("robot/pose", "record", "quiet", 0.0, "{x: 1}"),
        row("robot/speed", "value", "live", 59.97, "1.5"),
    ]));
    state
}

fn screen(state: &mut State) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(state, frame)).unwrap();
    terminal
}

/// The lines of the screen, without spaces at their ends.
fn lines(state: &mut State) -> Vec<String> {
    let terminal = screen(state);
    let buffer = terminal.backend().buffer();
    let line = |row| (0..80).map(|column| buffer[(column, row)].symbol()).collect::<String>();
    (0..24).map(|row| line(row).trim_end().to_owned()).collect()
}

fn press(state: &mut State, code: KeyCode) -> Option<Wanted> {
    handle(state, &Event::Key(code.into()))
}

fn type_text(state: &mut State, text: &str) {
    for character in text.chars() {
        assert!(press(state, KeyCode::Char(character)).is_none());
    }
}

fn in_detail(content: Content) -> State {
    let mut state = state();
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Enter);
    state.take(News::Detail(Ok(Detail { id: "robot/speed".to_owned(), content })));
    state
}

#[test]
fn regions_are_a_table_and_the_alarming_ones_stand_out() {
    let mut state = state();
    assert_eq!(
        lines(&mut state)[..5],
        [
            " 1 Regions  2 Detail  3 Participants  4 Locks             /dev/shm/test  locked",
            "STATE       ID           KIND    RATE  READERS  CONTENT",
            "dead owner  arm          lock       0        1  held by dead robot (pid 7)",
            "quiet       robot/pose   record     0        1  {x: 1}",
            "live        robot/speed  value   60.0        1  1.5",
        ]
    );
    let terminal = screen(&mut state);
    let of = |row: u16| terminal.backend().buffer()[(0, row)].modifier;
    assert!(of(2).contains(Modifier::BOLD | Modifier::REVERSED), "{:?}", of(2));
    assert!(!of(3).intersects(Modifier::BOLD | Modifier::REVERSED), "{:?}", of(3));
}

#[test]
fn rows_are_filtered_sorted_and_grouped_and_the_cursor_stays_on_its_region() {
    let mut state = state();
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Char('>'));
    assert_eq!((state.order.sort, state.selected().as_deref()), (Sort::State, Some("robot/pose")));
    press(&mut state, KeyCode::Char('r'));
    let ids: Vec<_> =
        lines(&mut state)[2..5].iter().map(|line| line[12..].split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(ids, ["robot/pose", "robot/speed", "arm"]);
    press(&mut state, KeyCode::Char('/'));
    type_text(&mut state, "ROBOT val");
    assert_eq!(state.selected().as_deref(), Some("robot/speed"));
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.items.len(), 1);
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('g'));
    assert_eq!(state.items.len(), 5);
    assert!(lines(&mut state).iter().any(|line| line == "robot/ (2)"));
    press(&mut state, KeyCode::Home);
    assert!(state.selected().is_some(), "the cursor stands on a folder");
}

#[test]
fn a_value_is_changed_after_a_question_or_at_once_when_unlocked() {
    let mut state = in_detail(Content::Fields(vec![(String::new(), "1.5".to_owned())]));
    press(&mut state, KeyCode::Char('e'));
    press(&mut state, KeyCode::Backspace);
    type_text(&mut state, "7");
    assert!(press(&mut state, KeyCode::Enter).is_none());
    assert!(lines(&mut state)[23].starts_with("write 1.7 to robot/speed? y writes it"));
    // No answer but yes writes, nor loses what was typed.
    assert!(press(&mut state, KeyCode::Char('n')).is_none());
    assert!(press(&mut state, KeyCode::Enter).is_none());
    let Some(Wanted::Change(change)) = press(&mut state, KeyCode::Char('y')) else {
        panic!("nothing is changed")
    };
    let change = format!("{:?}", change.change());
    assert!(change.contains(r#"value: "1.7""#) && change.contains(r#"if_value: Some("1.5")"#), "{change}");
    assert!(state.prompt.is_none());
    press(&mut state, KeyCode::Char('u'));
    press(&mut state, KeyCode::Char('e'));
    assert!(matches!(press(&mut state, KeyCode::Enter), Some(Wanted::Change(_))));
}

/// Numbers that were typed were lost when somebody else was faster.
#[test]
fn what_was_typed_in_vain_is_kept_and_written_over_what_stands_now() {
    let mut state = in_detail(Content::Fields(vec![(String::new(), "1.5".to_owned())]));
    press(&mut state, KeyCode::Char('e'));
    type_text(&mut state, "7");
    press(&mut state, KeyCode::Enter);
    let Some(Wanted::Change(edit)) = press(&mut state, KeyCode::Char('y')) else {
        panic!("nothing is changed")
    };
    let content = Content::Fields(vec![(String::new(), "3.0".to_owned())]);
    let edit = edit.over(&Detail { id: "robot/speed".to_owned(), content });
    state.prompt = Some(Prompt::Edit(edit));
    assert_eq!(
        lines(&mut state)[22..],
        ["somebody was faster, it is 3.0 now: Enter writes over it, Esc does not", "robot/speed := 1.57"]
    );
    let Some(Wanted::Change(edit)) = press(&mut state, KeyCode::Enter) else { panic!("it is asked again") };
    assert_eq!((edit.input.text.as_str(), edit.expected.as_deref()), ("1.57", None));
    state.prompt = Some(Prompt::Edit(edit.again("what was typed is no number".to_owned())));
    assert_eq!(lines(&mut state)[22..], ["what was typed is no number", "robot/speed := 1.57"]);
    press(&mut state, KeyCode::Esc);
    assert!(state.prompt.is_none());
}

/// It offered to edit pictures, and to unlock what was unlocked.
#[test]
fn only_what_can_be_done_now_is_offered() {
    let foot = |state: &mut State| lines(state)[23].clone();
    let mut state = in_detail(Content::Fields(vec![(String::new(), "1.5".to_owned())]));
    assert_eq!(foot(&mut state), "e edit  u unlock  Tab views  Esc back  ? help  q end");
    press(&mut state, KeyCode::Char('u'));
    assert_eq!(foot(&mut state), "e edit  u lock  Tab views  Esc back  ? help  q end");
    let fields = ["x", "y"].map(|name| (name.to_owned(), "1".to_owned()));
    assert!(foot(&mut in_detail(Content::Fields(fields.into()))).starts_with("↑↓ choose  e edit"));
    let picture = Content::Picture(image::RgbImage::new(4, 4));
    assert_eq!(foot(&mut in_detail(picture)), "Tab views  Esc back  ? help  q end");
    state.take(News::Rows(Vec::new()));
    press(&mut state, KeyCode::Esc);
    assert_eq!(foot(&mut state), "/ filter  Tab views  ? help  q end");
}

#[test]
fn what_is_to_be_edited_is_edited_as_soon_as_it_is_seen() {
    let mut state = state();
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Char('e'));
    assert!(state.view == View::Detail && state.prompt.is_none());
    let content = Content::Fields(vec![(String::new(), "1.5".to_owned())]);
    state.take(News::Detail(Ok(Detail { id: "robot/speed".to_owned(), content })));
    assert_eq!(lines(&mut state)[23], "robot/speed := 1.5");
}

#[test]
fn a_text_is_typed_over_lines() {
    let mut state = in_detail(Content::Text("one\ntwo".to_owned()));
    press(&mut state, KeyCode::Char('e'));
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "q");
    assert_eq!(
        lines(&mut state)[16..20],
        ["robot/speed (Ctrl-S writes it, Esc does not)", "one", "two", "q"]
    );
    assert!(
        handle(&mut state, &Event::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL))).is_none()
    );
    assert!(matches!(press(&mut state, KeyCode::Char('y')), Some(Wanted::Change(_))));
}

#[test]
fn each_content_is_drawn_by_its_kind() {
    let shown = |content| lines(&mut in_detail(content)).join("\n");
    let array = shown(Content::Elements((0..20).map(|number| number.to_string()).collect(), 20));
    assert!(array.contains('█') && array.contains("element 0 of 20"), "{array}");
    let stream = shown(Content::Channels(vec![("x".to_owned(), vec![0.0, 1.0, 2.0])]));
    assert!(stream.contains("x  2.0000   from 0.0000 to 2.0000\n▁▅█"), "{stream}");
    let queue = shown(Content::Messages(vec!["\"first\"".to_owned()], 9));
    assert!(queue.contains("9 waiting") && queue.contains("   1  \"first\""), "{queue}");
    let picture = shown(Content::Picture(image::RgbImage::from_pixel(4, 4, image::Rgb([255; 3]))));
    assert!(picture.contains("@@@@"), "{picture}");
    let lock =
        json!({"holder": {"pid": 7, "program": "robot", "alive": false, "held_seconds": 2.0}, "waiters": []});
    let lock = shown(Content::Document(lock));
    assert!(lock.contains("holder: dead robot (pid 7) for 2.0 s\nwaiters: none"), "{lock}");
}

#[test]
fn deadlocks_and_participants_are_told_as_by_their_commands() {
    let mut state = state();
    press(&mut state, KeyCode::Char('4'));
    let edge = json!({"line": "a waits for b", "deadlock": true});
    state.take(News::Locks(Vec::new(), vec![edge]));
    assert!(lines(&mut state).contains(&"deadlock: a waits for b".to_owned()));
    press(&mut state, KeyCode::Char('3'));
    state.take(News::Processes(vec![
        json!({"pid": 7, "state": "running", "program": "robot", "regions": ["arm"]}),
    ]));
    assert!(lines(&mut state)[2].contains("7  running  robot"));
    // Of one that does a lot, the names are not cut, nor does its line run over the edge.
    let regions = vec!["a/region/of/some/name"; 9];
    let busy = json!({
        "pid": 24169, "state": "orphaned", "user": "somebody", "program": "memlane-demo", "regions": regions,
        "locks": regions, "waits": [{"what": "lock", "id": "demo/arm", "seconds": 1.0}],
    });
    state.take(News::Processes(vec![busy]));
    let shown = lines(&mut state);
    assert!(shown[2].starts_with("24169  orphaned  memlane-demo  ") && shown[3].is_empty(), "{shown:?}");
}

#[test]
fn a_host_that_is_gone_is_told_and_places_are_cut_before_that() {
    let mut state = state();
    assert!(!state.connect(true) && state.connect(false));
    let shown = lines(&mut state);
    assert!(shown[0].ends_with("/dev/shm/test  the host is gone"), "{}", shown[0]);
    assert!(shown[23].starts_with("the host is gone and looked for"), "{}", shown[23]);
    state.place = "/a/place/of/a/very/long/name/indeed".to_owned();
    assert!(lines(&mut state)[0].ends_with("/a/place/of/a…  the host is gone"), "{}", lines(&mut state)[0]);
    assert!(state.connect(true));
    assert!(lines(&mut state)[0].ends_with("  locked"));
}

/// Other people's bytes are drawn, and obeyed by nobody.
#[test]
fn hostile_names_and_the_smallest_screens_do_no_harm() {
    let mut state = state();
    state.take(News::Rows(vec![
        row("a\u{1b}[31m", "value", "live", 1.0, "\u{1b}]0;x\u{7}"),
        Arc::new(json!({"id": "b", "error": "x", "state": "unreadable"})),
    ]));
    for view in [View::Regions, View::Detail, View::Participants, View::Locks, View::Help] {
        state.go(view);
        for (width, height) in [(80, 24), (1, 1), (7, 3), (300, 100)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(&mut state, frame)).unwrap();
            let buffer = terminal.backend().buffer();
            assert!(buffer.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        }
    }
}
