//! `memlane completions SHELL`: what the shell needs to complete the command line.

use clap::Command;
use clap_complete::Shell;

use crate::context::Context;
use crate::failure::Outcome;

/// Print the completions of a shell, to be loaded by it
///
/// For bash: memlane completions bash > ~/.local/share/bash-completion/completions/memlane
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context, mut command: Command) -> Outcome {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        context.write(&script)
    }
}
