//! The command line: options common to all commands, and the list of commands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use crate::bench::BenchArguments;
use crate::commands::{
    bw::Bandwidth, completions::Completions, connect::Connect, create::Create, discover::Discover,
    doctor::Doctor, event::EventCommand, get::Get, gui::Gui, host::HostCommand, hz::Hertz,
    legacy::LegacyCommand, locks::Locks, ls::List, myo::MyoArguments, myo_dongle::MyoDongle, ps::Processes,
    put::Put, rm::Remove, sem::SemaphoreCommand, set::Set, show::Show, stream::StreamCommand, take::Take,
    watch::Watch,
};
use crate::context::Context;
use crate::demo::DemoArguments;
use crate::failure::{Exit, Outcome};
use crate::frame::FrameCommand;
use crate::top::TopArguments;

/// The environment variable that names a host.
const AT_VARIABLE: &str = "MEMLANE_AT";

/// Over the options that every command has.
const EVERYWHERE: &str = "Options of every command";

/// Shared memory for real-time tools: see what is there, change it, find out who holds what.
#[derive(Debug, Parser)]
#[command(name = "memlane", version, args_override_self = true, after_help = include_str!("exit_codes.txt"))]
struct Arguments {
    /// The directory of regions to work in; without it the user's own, below /dev/shm
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    #[arg(env = memlane::space::DIRECTORY_VARIABLE, hide_env_values = true)]
    space: Option<PathBuf>,

    /// Work with the regions of this host: HOST[:PORT]. Its token is in MEMLANE_TOKEN, or in the file that
    /// MEMLANE_TOKEN_FILE names; on the host's own machine none is needed
    #[arg(long, global = true, value_name = "HOST", help_heading = EVERYWHERE)]
    #[arg(env = AT_VARIABLE, hide_env_values = true)]
    at: Option<String>,

    /// The SHA-256 of the host's certificate, as it prints it: speak TLS, and with nobody else
    #[arg(long, global = true, value_name = "SHA256", help_heading = EVERYWHERE)]
    fingerprint: Option<String>,

    /// Print JSON instead of text for people
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(List),
    Show(Show),
    Get(Get),
    Set(Set),
    Create(Create),
    Rm(Remove),
    Watch(Watch),
    Hz(Hertz),
    Bw(Bandwidth),
    Ps(Processes),
    Locks(Locks),
    Top(TopArguments),
    Doctor(Doctor),
    Put(Put),
    Take(Take),
    #[command(subcommand)]
    Event(EventCommand),
    #[command(subcommand)]
    Sem(SemaphoreCommand),
    #[command(subcommand)]
    Stream(StreamCommand),
    /// Publish and view pictures, and exchange them with other programs through a mapped file
    #[command(subcommand)]
    Frame(FrameCommand),
    Gui(Gui),
    Host(HostCommand),
    Discover(Discover),
    Connect(Connect),
    #[command(subcommand)]
    Legacy(LegacyCommand),
    Myo(MyoArguments),
    MyoDongle(MyoDongle),
    Demo(DemoArguments),
    Bench(BenchArguments),
    Completions(Completions),
}

/// Runs the command line `arguments`, the first of which is the program's name, and gives back its exit code.
/// Messages go to the standard error as `memlane: …`. Commands that start themselves again, as the demo does, do it by
/// `self_command`: a program and its first arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>, self_command: Vec<OsString>) -> u8 {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => execute(arguments, self_command),
        Err(error) => {
            // Help that nobody reads to the end is no failure.
            let _ = error.print();
            error.exit_code() as u8
        }
    }
}

fn execute(arguments: Arguments, self_command: Vec<OsString>) -> u8 {
    let context =
        Context::new(arguments.space, arguments.at, arguments.fingerprint, arguments.json, self_command);
    let Some(command) = arguments.command else {
        context.say(format_args!("expected a command\n\n{}", Arguments::command().render_help()));
        return Exit::Usage as u8;
    };
    match command.run(&context) {
        Ok(()) => Exit::Success as u8,
        Err(failure) => {
            context.complain(&failure);
            failure.exit()
        }
    }
}

impl Command {
    fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Ls(command) => command.run(context),
            Self::Show(command) => command.run(context),
            Self::Get(command) => command.run(context),
            Self::Set(command) => command.run(context),
            Self::Create(command) => command.run(context),
            Self::Rm(command) => command.run(context),
            Self::Watch(command) => command.run(context),
            Self::Hz(command) => command.run(context),
            Self::Bw(command) => command.run(context),
            Self::Ps(command) => command.run(context),
            Self::Locks(command) => command.run(context),
            Self::Top(command) => command.run(context),
            Self::Doctor(command) => command.run(context),
            Self::Put(command) => command.run(context),
            Self::Take(command) => command.run(context),
            Self::Event(command) => command.run(context),
            Self::Sem(command) => command.run(context),
            Self::Stream(command) => command.run(context),
            Self::Frame(command) => command.run(context),
            Self::Gui(command) => command.run(context),
            Self::Host(command) => command.run(context),
            Self::Discover(command) => command.run(context),
            Self::Connect(command) => command.run(context),
            Self::Legacy(command) => command.run(context),
            Self::Myo(command) => command.run(context),
            Self::MyoDongle(command) => command.run(context),
            Self::Demo(command) => command.run(context),
            Self::Bench(command) => command.run(context),
            Self::Completions(command) => command.run(context, Arguments::command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn negative_numbers_are_values() {
        let parsed = Arguments::try_parse_from(["memlane", "set", "speed", "-1.5", "--if-value", "-2"]);
        assert!(parsed.is_ok(), "{parsed:?}");
    }
}
