//! `tokenry decode`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tokenry_protocol::secret::{
    examination::{Examination, PublicPart},
    public_part,
};

use super::presented;
use crate::{exit_code::Exit, output};

#[derive(Args)]
#[command(after_help = "\
Nothing is asked of any server, and the secret part is not printed. That the checksum holds means
that no character was changed on the way. It does not mean that the credential works, nor that this
server minted it: `tokenry why` says that. Of a JWT access token the credential in it is told.

The exit code is 0 if nothing is wrong with it, and 6 if it is damaged or none of Tokenry's.

Examples:
  tokenry decode a0000000G9                     the first 10 characters, which are public
  pbpaste | tokenry decode -                    a whole credential, seen by nobody
  tokenry decode - --json < token.txt")]
pub(crate) struct DecodeArgs {
    /// A credential, its first 10 characters, or - for standard input: an argument can be seen in
    /// process lists
    #[arg(value_name = "CREDENTIAL", allow_hyphen_values = true)]
    credential: String,
    /// Print `{"verdict", "public_part", "kind", "id", "rotation", "key_number", "checksum_holds",
    /// "faults"}`
    #[arg(long)]
    json: bool,
}

/// Says what a credential says of itself.
pub(crate) fn run(arguments: &DecodeArgs) -> anyhow::Result<ExitCode> {
    let examined = Examination::of(&presented::text(&arguments.credential)?);
    if arguments.json {
        output::line(serde_json::to_string(&Decoded::of(&examined))?);
    } else {
        output::line(in_words(&examined));
    }
    Ok(match examined {
        Examination::Whole { .. }
        | Examination::JwtAccessToken { .. }
        | Examination::PublicPart(_) => Exit::Done.into(),
        Examination::Damaged { .. } | Examination::JsonWebToken | Examination::Foreign => {
            Exit::Wrong.into()
        }
    })
}

#[derive(Serialize)]
struct Decoded {
    verdict: &'static str,
    public_part: Option<String>,
    kind: Option<&'static str>,
    id: Option<u64>,
    rotation: Option<u32>,
    key_number: Option<u8>,
    checksum_holds: Option<bool>,
    faults: Vec<String>,
}

impl Decoded {
    fn of(examined: &Examination) -> Self {
        let public = examined.public();
        let (rotation, key_number) = match examined {
            Examination::Whole { rotation, key_number, .. }
            | Examination::JwtAccessToken { rotation, key_number, .. } => {
                (Some(*rotation), Some(*key_number))
            }
            _ => (None, None),
        };
        let (verdict, faults) = match examined {
            Examination::Whole { .. } => ("whole", Vec::new()),
            Examination::JwtAccessToken { .. } => ("jwt_access_token", Vec::new()),
            Examination::PublicPart(_) => ("public_part", Vec::new()),
            Examination::Damaged { faults, .. } => {
                ("damaged", faults.iter().map(ToString::to_string).collect())
            }
            Examination::JsonWebToken => ("json_web_token", Vec::new()),
            Examination::Foreign => ("foreign", Vec::new()),
        };
        Self {
            verdict,
            public_part: public.map(text_of),
            kind: public.map(|public| public.kind.as_str()),
            id: public.map(|public| public.id),
            rotation,
            key_number,
            checksum_holds: examined.checksum_holds(),
            faults,
        }
    }
}

fn text_of(public: PublicPart) -> String {
    public_part(public.kind, public.id)
}

fn in_words(examined: &Examination) -> String {
    match examined {
        Examination::Whole { public, rotation, key_number } => format!(
            "{}\n  rotation    {rotation}\n  key number  {key_number}\n  checksum    holds\n{}",
            said(*public),
            ask_the_server(*public),
        ),
        Examination::PublicPart(public) => format!(
            "{}\nThese are the first 10 characters: there is no checksum to judge.\n{}",
            said(*public),
            ask_the_server(*public),
        ),
        Examination::Damaged { public, checksum_holds, faults } => {
            let first = "This is damaged, or none of Tokenry's credentials:".to_owned();
            let faults = faults.iter().map(|fault| format!("  - {fault}"));
            let public = public
                .map(|public| format!("Its first 10 characters are in order. {}", said(public)));
            let checksum = match checksum_holds {
                Some(true) => "  checksum    holds",
                Some(false) => "  checksum    does not hold",
                None => "  checksum    cannot be judged",
            };
            let lines = std::iter::once(first).chain(faults).chain(public);
            lines.chain([checksum.to_owned()]).collect::<Vec<_>>().join("\n")
        }
        Examination::JwtAccessToken { public, rotation, key_number } => format!(
            "This is a JWT with a credential in it.\n{}\n  rotation    {rotation}\n  \
             key number  {key_number}\nWhether anything was changed in it only its server \
             knows. {}",
            said(*public),
            ask_the_server(*public),
        ),
        Examination::JsonWebToken => {
            "This is none of Tokenry's: it is a JSON Web Token without a credential of Tokenry's \
             in it."
                .to_owned()
        }
        Examination::Foreign => "This is none of Tokenry's: those have 64 characters, with \
             `_tokenry_` from the 11th on."
            .to_owned(),
    }
}

fn said(public: PublicPart) -> String {
    let PublicPart { kind, id } = public;
    let name = kind.name();
    format!("{} names record {id}, as {} {name}.", text_of(public), super::article(name))
}

fn ask_the_server(public: PublicPart) -> String {
    format!("Whether it works its server can say: tokenry why {}", text_of(public))
}
