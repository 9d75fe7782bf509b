//! Spaces: what may be an id, which names exclude each other, finding and removing regions, modes, and which
//! directories may hold a space.

mod left_out;
mod patience;
mod role;
mod scratch;

use left_out::can_become_another_user;
use memlane::{Error, Lock, Observer, Region, Result, Space, Value};
use patience::{DEADLINE, assert_in_vain};
use role::{Role, say};
use rustix::fs::{Gid, Mode, Uid};
use rustix::io::Errno;
use scratch::Scratch;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

#[test]
fn role() {
    role::play(|part| match part.role.as_str() {
        "modes" => make_regions_of_all_modes(&part.directory).expect("the role can be played"),
        "default" => {
            let user = Uid::from_raw(part.number(0) as u32);
            rustix::thread::set_thread_uid(user).expect("root becomes whoever it wants");
            say_default();
        }
        "named" => say_default(),
        other => panic!("there is no role {other}"),
    });
}

fn value(space: &Space, id: &str) -> Result<Value<u8>> {
    Value::open_or_create(space, id, 7)
}

fn message<T>(outcome: Result<T>) -> String {
    outcome.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn ids_follow_rules() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let longest = "x".repeat(200);
    for id in ["a", "a b", "é/あ/🦀", "a.b/c..d", "~", "-", &longest] {
        drop(value(&space, id)?);
        assert!(space.contains(id)?, "{id}");
        space.remove(id)?;
    }
    let too_long = "x".repeat(201);
    let rules = [
        ("", "it has an empty part"),
        ("/a", "it has an empty part"),
        ("a/", "it has an empty part"),
        ("a//b", "it has an empty part"),
        (".", "`.` and `..` lead out of the space"),
        ("a/../b", "`.` and `..` lead out of the space"),
        (".hidden", "parts that begin with a dot are memlane's own"),
        ("a/.ephemeral", "parts that begin with a dot are memlane's own"),
        ("a\0b", "it has control characters"),
        ("a\nb", "it has control characters"),
        (&too_long, "it is too long"),
    ];
    for (id, rule) in rules {
        let expected = format!(
            "`{id}` cannot be the id of a region: {rule}; an id is like `camera/front`, at most 200 bytes"
        );
        let refusals = [
            message(value(&space, id)),
            message(Region::open(&space, id)),
            message(Observer::open(&space, id)),
            message(space.contains(id)),
            message(space.wait_for(id, None)),
            message(space.remove(id)),
        ];
        assert!(refusals.iter().all(|refusal| *refusal == expected), "{id:?}: {refusals:?}");
    }
    assert_eq!(scratch.files().len(), 0);
    Ok(())
}

#[test]
fn a_name_is_a_region_or_a_folder() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let place = space.directory().display().to_string();
    let _region = value(&space, "a")?;
    for id in ["a/b", "a/b/c"] {
        let expected =
            format!("`{id}` cannot be a region because `a` is a region in {place}; choose another id");
        assert_eq!([message(value(&space, id)), message(Region::open(&space, id))], [&*expected, &*expected]);
    }
    let _deep = value(&space, "b/c/d")?;
    for id in ["b", "b/c"] {
        let expected =
            format!("`{id}` cannot be a region because `{id}/…` exists in {place}; choose another id");
        let refusals = [
            message(value(&space, id)),
            message(Lock::create(&space, id)),
            message(Region::open(&space, id)),
            message(space.remove(id)),
        ];
        assert_eq!(refusals, [&*expected; 4]);
        assert!(!space.contains(id)?);
    }
    let expected =
        format!("`b/c/d/e` cannot be a region because `b/c/d` is a region in {place}; choose another id");
    assert_eq!(message(value(&space, "b/c/d/e")), expected);
    assert_eq!(space.list()?, ["a", "b/c/d"]);
    Ok(())
}

#[test]
fn regions_are_listed_and_removed_with_their_empty_folders() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    for id in ["b/c/d", "b/e", "a", "b-", "Ä"] {
        drop(value(&space, id)?);
    }
    fs::create_dir(scratch.path().join(".ours")).expect("a folder can be made");
    fs::write(scratch.path().join(".ours/file"), "no region").expect("a file can be written");
    assert_eq!(space.list()?, ["a", "b-", "b/c/d", "b/e", "Ä"]);
    space.remove("b/c/d")?;
    assert!(!scratch.path().join("b/c").exists() && scratch.path().join("b").is_dir());
    space.remove("b/e")?;
    assert!(!scratch.path().join("b").exists());
    let place = space.directory().display();
    let expected = format!("no region `b/e` in {place}; list what is there with `memlane ls`");
    assert_eq!(
        [message(space.remove("b/e")), message(Region::open(&space, "b/e"))],
        [&*expected, &*expected]
    );
    assert_eq!(space.list()?, ["a", "b-", "Ä"]);
    Ok(())
}

/// Somebody killed between making a folder and the region in it leaves an empty folder.
#[test]
fn an_empty_folder_makes_way_for_a_region() -> Result<()> {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path().join("a/b")).expect("folders can be made");
    let space = scratch.space();
    assert_eq!(value(&space, "a/b")?.load(), 7);
    assert_eq!(space.list()?, ["a/b"]);
    Ok(())
}

#[test]
fn what_is_no_region_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let space = scratch.space();
    let path = |name: &str| scratch.path().join(name);
    fs::write(path("note"), "not a region").expect("a file can be written");
    let _listener = UnixListener::bind(path("socket")).expect("a socket can be made");
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), Mode::RUSR | Mode::WUSR).expect("a pipe can be made");
    std::os::unix::fs::symlink(path("note"), path("link")).expect("a link can be made");
    let complaints = [
        (
            "note",
            "region `note` is damaged or not a region: it has 12 bytes, and the header alone takes 2816; ",
        ),
        ("socket", "region `socket` is damaged or not a region: it is not a regular file; "),
        ("pipe", "region `pipe` is damaged or not a region: it is not a regular file; "),
        ("link", "could not open region `link`: "),
    ];
    for (id, complaint) in complaints {
        for refusal in [message(value(&space, id)), message(Region::open(&space, id))] {
            assert!(refusal.starts_with(complaint), "{refusal}");
        }
        assert!(matches!(Lock::create(&space, id), Err(Error::AlreadyExists { .. })), "{id}");
        assert!(Observer::open(&space, id).is_err(), "{id}");
    }
    assert_eq!(fs::read(path("note")).expect("it is still there"), b"not a region");
    assert!(fs::metadata(path("pipe")).is_ok_and(|found| found.file_type().is_fifo()));
}

#[test]
fn tools_can_wait_for_their_producer() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| -> Result<u8> {
            space.wait_for("robot/speed", Some(DEADLINE))?;
            Ok(Value::<u8>::open(&space, "robot/speed")?.load())
        });
        let _speed = value(&space, "robot/speed")?;
        assert_eq!(waiter.join().expect("it does not panic")?, 7);
        Ok::<_, Error>(())
    })?;
    drop(value(&space, "there")?);
    space.wait_for("there", Some(Duration::ZERO))?;
    assert_in_vain("robot/none", "the creation", |timeout| space.wait_for("robot/none", timeout));
    Ok(())
}

/// Removing takes empty folders away while others are about to put a region there.
#[test]
fn making_and_removing_neighbours_do_not_disturb_each_other() -> Result<()> {
    const ROUNDS: usize = 1_500;
    let scratch = Scratch::new();
    let space = scratch.space();
    thread::scope(|scope| {
        let space = &space;
        let make_and_remove = |id: &'static str| {
            move || -> Result<()> {
                (0..ROUNDS).try_for_each(|_| {
                    drop(value(space, id)?);
                    space.remove(id)
                })
            }
        };
        let threads = ["a/b/c", "a/b/d", "a/e"].map(|id| scope.spawn(make_and_remove(id)));
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(fs::read_dir(scratch.path()).expect("it is a directory").count(), 0);
    Ok(())
}

/// Everybody asks for the same names at once, and somebody takes them away.
#[test]
fn whoever_asks_first_makes_the_region_and_all_others_open_it() -> Result<()> {
    const ROUNDS: usize = 400;
    let scratch = Scratch::new();
    let space = scratch.space();
    let ask = || -> Result<Vec<[u8; 16]>> {
        let ask = |round| Ok(value(&space, &format!("a/{round}"))?.region().description().uuid);
        (0..ROUNDS).map(ask).collect()
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let threads = [scope.spawn(ask), scope.spawn(ask), scope.spawn(ask)];
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect::<Result<_>>()
    })?;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let remove_and_ask = || -> Result<()> {
        (0..ROUNDS).try_for_each(|_| {
            assert_eq!(value(&space, "a/b/c")?.load(), 7);
            match space.remove("a/b/c") {
                Err(Error::NotFound { .. }) => Ok(()),
                other => other,
            }
        })
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(remove_and_ask), scope.spawn(remove_and_ask), scope.spawn(remove_and_ask)];
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })
}

#[test]
fn modes_are_as_asked_whatever_the_umask() {
    for umask in ["0", "511"] {
        let scratch = Scratch::new();
        let child = Role::start("modes", scratch.path(), &[umask]);
        assert!(child.finish().success(), "with umask {umask}");
    }
}

fn make_regions_of_all_modes(directory: &Path) -> Result<()> {
    let umask = role::Part::of_this_process().expect("this is a role").number(0);
    rustix::process::umask(Mode::from_raw_mode(umask as u32));
    let place = directory.join("space");
    let space = Space::at(&place)?;
    let mode_of = |path: &Path| fs::metadata(path).expect("it was just made").permissions().mode() & 0o7777;
    assert_eq!(mode_of(&place), 0o700);
    drop(value(&space, "usual/region")?);
    assert_eq!((mode_of(&place.join("usual")), mode_of(&place.join("usual/region"))), (0o700, 0o600));
    // A folder may be entered by whoever may read what is in it.
    for (file, folder) in [(0o600, 0o700), (0o660, 0o770), (0o640, 0o750), (0o644, 0o755), (0o4666, 0o777)] {
        let name = format!("m{file:o}");
        drop(value(&space.clone().mode(file), &format!("{name}/region"))?);
        assert_eq!(mode_of(&place.join(&name)), folder, "{name}");
        assert_eq!(mode_of(&place.join(name).join("region")), file & 0o777);
    }
    drop(value(&space.clone().ephemeral().mode(0o660), "gone")?);
    assert_eq!(mode_of(&place.join(".ephemeral")), 0o770);
    Ok(())
}

#[test]
fn notes_and_participants_stay_within_their_limits() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let described =
        |space: Space, id: &str| Ok::<_, Error>(value(&space, id)?.region().description().clone());
    assert_eq!(described(space.clone(), "usual")?.note, "");
    assert_eq!(described(space.clone(), "usual")?.participants, 64);
    assert_eq!(described(space.clone().note("é, in front"), "noted")?.note, "é, in front");
    // 512 bytes would end within the last character.
    let long = "x".to_owned() + &"é".repeat(300);
    assert_eq!(described(space.clone().note(&long), "long")?.note, "x".to_owned() + &"é".repeat(255));
    for (asked, given) in [(0, 1), (1, 1), (4095, 4095), (u16::MAX, 4095)] {
        let id = format!("for/{asked}");
        assert_eq!(described(space.clone().participants(asked), &id)?.participants, given);
    }
    Ok(())
}

#[test]
fn a_directory_is_made_when_missing_and_refused_when_it_cannot_be_one() {
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    fs::write(&file, "").expect("a file can be written");
    let missing = scratch.path().join("not/there");
    let complaints = [
        (&missing, "its parent directory does not exist; make that first"),
        (&file, "it is not a directory; name another"),
        (&file.join("below"), "it is not a directory; name another"),
    ];
    for (directory, complaint) in complaints {
        let refusal = message(Space::at(directory));
        let expected = format!("the directory `{}` cannot hold a space: {complaint} (", directory.display());
        assert!(refusal.starts_with(&expected), "{refusal}");
    }
    assert!(Space::at(scratch.path().join("new")).is_ok_and(|space| space.directory().is_dir()));
}

/// Tells the parent what the default space is, or why there is none.
fn say_default() {
    match Space::default().and_then(|space| Ok((value(&space, "made")?, space))) {
        Ok((_, space)) => say(&space.directory().to_string_lossy()),
        Err(error) => say(&error.to_string()),
    }
}

#[test]
fn the_environment_names_the_default_space() {
    let scratch = Scratch::new();
    let place = scratch.path().join("mine");
    let mut command = role::command("named", scratch.path(), &[]);
    command.env("MEMLANE_DIR", &place);
    let child = Role::try_start("named", command).expect("the test program can start itself");
    child.expect(&place.to_string_lossy());
    assert!(child.finish().success());
    assert!(place.join("made").is_file());
}

/// The default directory of a user that exists for this test alone; gone with it.
#[derive(Debug)]
struct Home {
    user: u32,
    directory: PathBuf,
}

impl Home {
    /// Some user id above those of people and below those that containers do not have.
    fn of_nobody() -> Option<Self> {
        let start = 60_000 + std::process::id() % 4_000;
        let mut homes = (start..65_000)
            .map(|user| Self { user, directory: Path::new("/dev/shm").join(format!("memlane-{user}")) });
        homes.find(|home| !home.directory.exists())
    }

    fn make(&self, owner: u32, mode: u32) {
        let owner = Some(Uid::from_raw(owner));
        fs::create_dir(&self.directory).expect("it does not exist");
        rustix::fs::chown(&self.directory, owner, None::<Gid>).expect("root gives away what it wants");
        fs::set_permissions(&self.directory, fs::Permissions::from_mode(mode)).expect("it is there");
    }

    /// What its user gets as the default space.
    fn ask(&self) -> String {
        let mut command = role::command("default", &self.directory, &[&self.user.to_string()]);
        // Empty is as good as not set.
        command.env("MEMLANE_DIR", "");
        let child = Role::try_start("default", command).expect("the test program can start itself");
        let answer = child.hear();
        assert!(child.finish().success());
        answer
    }

    fn remove(&self) {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if Errno::from_io_error(&error) != Some(Errno::NOENT) => panic!("{error}"),
            _ => {}
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.remove();
    }
}

#[test]
fn the_default_space_belongs_to_its_user_alone() {
    const WHAT: &str = "the default space of another user";
    if !can_become_another_user(WHAT) {
        return;
    }
    let Some(home) = Home::of_nobody().filter(|_| Path::new("/dev/shm").is_dir()) else {
        return left_out::leave_out(WHAT, "there is no /dev/shm, or no free user id");
    };
    let path = home.directory.display().to_string();
    assert_eq!(home.ask(), path);
    let made = fs::metadata(&home.directory).expect("it was made");
    assert_eq!(made.permissions().mode() & 0o7777, 0o700);
    home.remove();
    home.make(home.user, 0o755);
    assert_eq!(home.ask(), path);
    let refusal = format!(
        "the directory `{path}` cannot hold a space: it belongs to another user or others may write to it; \
         remove it, or name another by MEMLANE_DIR"
    );
    for (owner, mode) in [(0, 0o755), (0, 0o777), (home.user, 0o770), (home.user, 0o702)] {
        home.remove();
        home.make(owner, mode);
        assert_eq!(home.ask(), refusal, "{mode:o} of {owner}");
    }
}
