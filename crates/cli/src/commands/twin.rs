//! `tokenry twin`: a double of Zendesk's token API on this machine.

mod check;

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use tokenry_protocol::time::Timestamp;
use tokenry_server::{config::Log, telemetry};
use tokenry_twin::{
    Bound, Expiry, Options, Profile, Rotation, Rule, Seed,
    faults::{SHIPPED, Scenario},
};

use self::check::CheckArgs;
use super::serve::stop_signal;
use crate::{exit_code::Exit, failure::Failure, output};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  tokenry twin                                    an account to try things with, on port 4000
  tokenry twin --profile enforced                 tokens live for 30 minutes and are JWTs
  tokenry twin --profile after-2027-04-30         API tokens are refused
  tokenry twin --seed account.toml --data ./twin  your own account, kept between runs
  tokenry twin --fault 'lose-answer route=refresh every=3'
  tokenry twin --scenario flaky-gateway --fault-seed 42
  tokenry twin --https --env-file twin.env        for programs that call https://acme.zendesk.com
  tokenry twin --port 0 --json                    for scripts: one line of JSON, then it serves
  tokenry twin check -- pytest tests              which faults a test command survives

It starts in memory and forgets everything at its end. Open its address in a browser to see what one
needs to connect, and every call as it comes. Tests turn it by what is under /twin: docs/twin.md.")]
pub(crate) struct TwinArgs {
    #[command(subcommand)]
    command: Option<TwinCommand>,
    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 4000)]
    port: u16,
    /// Another address to listen on, with `--allow-remote` if others can reach it
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Let others reach it: whoever does has every credential in it
    #[arg(long)]
    allow_remote: bool,
    /// Be `https://NAME.zendesk.com` as well, for programs that call no other address: by a proxy on
    /// this port (0: any free one; without a port 4443) and a certificate, which both are in the
    /// environment that is printed
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "4443")]
    https: Option<u16>,
    /// Write the certificate of the proxy's authority there [default: a temporary file]
    #[arg(long, value_name = "FILE", requires = "https")]
    ca_file: Option<PathBuf>,
    /// A name of yours under which browsers call it; may be given several times. IP addresses,
    /// names without a dot, *.localhost, *.test and the account's at Zendesk need none
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The state that Zendesk has put the account into [default: as the scenario takes, or legacy]
    #[arg(long, value_name = "NAME", value_parser = profiles())]
    profile: Option<Profile>,
    /// Who and what is in the account, as TOML or JSON [default: what is in the folder of --data,
    /// or the cast of the documentation]
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Keep the account in this folder, and go on with it at the next start, in any profile; a
    /// folder that came of another seed is refused [default: in memory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Whether access tokens expire when nobody asks for a lifetime [default: as the profile says]
    #[arg(long, value_name = "WHEN", value_enum)]
    expiry: Option<ExpiryFlag>,
    /// What becomes of a refresh token that was used
    #[arg(long, value_name = "HOW", value_enum, default_value = "single-use")]
    rotation: RotationFlag,
    /// The account's name, NAME of NAME.zendesk.com
    #[arg(long, value_name = "NAME", default_value = "acme")]
    subdomain: String,
    /// The time at which its clock starts, such as 2027-04-30T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    clock: Option<String>,
    /// What goes wrong, such as 'status=503 route=/oauth/* every=3'; may be given several times
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<Rule>,
    /// Decides which calls are struck by probability, so that a run can be repeated
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    fault_seed: u64,
    /// A run of troubles: one that comes with it, or a file
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// Print what one needs to connect as one line of JSON
    #[arg(long)]
    json: bool,
    /// Write the environment of clients there, as lines for a shell
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// End when standard input ends, as it does when the program that started it is gone
    #[arg(long)]
    stop_with_stdin: bool,
}

#[derive(Subcommand)]
enum TwinCommand {
    /// Run a test command under each profile and fault in turn, and say what it survives
    Check(Box<CheckArgs>),
}

#[derive(Clone, Copy, ValueEnum)]
enum ExpiryFlag {
    /// After 30 minutes
    Enforced,
    /// Never
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RotationFlag {
    /// It is dead at once, as at Zendesk
    SingleUse,
    /// Its answer is given again while nothing of it was used, as Tokenry does
    Forgiving,
}

impl From<RotationFlag> for Rotation {
    fn from(flag: RotationFlag) -> Self {
        match flag {
            RotationFlag::SingleUse => Self::SingleUse,
            RotationFlag::Forgiving => Self::Forgiving,
        }
    }
}

fn profiles() -> impl clap::builder::TypedValueParser<Value = Profile> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Profile::ALL.map(Profile::as_str))
        .try_map(|name| name.parse::<Profile>())
}

impl TwinArgs {
    fn options(&self) -> anyhow::Result<Options> {
        let scenario = self.scenario.as_deref().map(scenario).transpose()?;
        let of_scenario = scenario.as_ref().and_then(|scenario| scenario.profile);
        if let (Some(named), Some(taken)) = (self.profile, of_scenario)
            && named != taken
        {
            let told = format!("--profile {named}, and the scenario is for {taken}");
            let hint = "leave --profile out, or take a file of your own that names another";
            return Err(Failure::new(Exit::Usage, told).hint(hint).into());
        }
        Ok(Options {
            listen: SocketAddr::new(self.address, self.port),
            allow_remote: self.allow_remote,
            profile: self.profile,
            expiry: self.expiry.map(|expiry| match expiry {
                ExpiryFlag::Enforced => Expiry::Enforced,
                ExpiryFlag::None => Expiry::None,
            }),
            rotation: Some(self.rotation.into()),
            subdomain: self.subdomain.clone(),
            data: self.data.clone(),
            clock: self.clock.as_deref().map(time).transpose()?,
            seed: self.seed.as_deref().map(Seed::read).transpose()?,
            scenario,
            faults: self.faults.clone(),
            fault_seed: self.fault_seed,
            https_port: self.https,
            ca_file: self.ca_file.clone(),
            hosts: self.hosts.clone(),
        })
    }
}

/// Serves until SIGTERM, Ctrl-C or the end of standard input, the second time whatever is in
/// flight; or does what its subcommand says.
pub(crate) async fn run(arguments: TwinArgs) -> anyhow::Result<ExitCode> {
    if let Some(TwinCommand::Check(arguments)) = arguments.command {
        return check::run(*arguments).await;
    }
    telemetry::start_log(&Log { filter: "warn".to_owned(), ..Log::default() })?;
    let twin = Bound::bind(arguments.options()?)?.start().await?;
    let details = twin.connection_details();
    if let Some(path) = &arguments.env_file {
        fs::write(path, details.exports()).with_context(|| path.display().to_string())?;
    }
    // Before anybody is told that it serves: whoever stops it at once must find it listening.
    let stop = stop_signal()?;
    if arguments.json {
        output::line(serde_json::to_string(&details)?);
    } else {
        output::line(&details);
    }
    tokio::select! {
        () = stop => {}
        () = end_of_stdin(), if arguments.stop_with_stdin => {}
    }
    // Whoever cannot wait for what is in flight says so once more.
    let again = stop_signal()?;
    tokio::select! {
        () = twin.stop() => Ok(ExitCode::SUCCESS),
        () = again => Ok(Exit::Interrupted.into()),
    }
}

/// Done when nobody holds the other end any more.
async fn end_of_stdin() {
    let (sender, ended) = tokio::sync::oneshot::channel();
    // A thread of its own, which the end of the process does not wait for.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = sender.send(());
    });
    let _ = ended.await;
}

fn time(text: &str) -> anyhow::Result<Timestamp> {
    Timestamp::parse(text).ok_or_else(|| {
        let told = format!("--clock {text:?} is no time");
        Failure::new(Exit::Usage, told).hint("write it as 2027-04-30T00:00:00Z").into()
    })
}

fn scenario(choice: &str) -> anyhow::Result<Scenario> {
    let text = match SHIPPED.iter().find(|shipped| shipped.name == choice) {
        Some(shipped) => shipped.text.to_owned(),
        None => fs::read_to_string(choice).map_err(|error| {
            let names = SHIPPED.iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", ");
            let told = format!("--scenario {choice}: {error}");
            Failure::new(Exit::Usage, told).hint(format!("name a file, or one of {names}"))
        })?,
    };
    Scenario::read(&text).with_context(|| format!("--scenario {choice}"))
}
