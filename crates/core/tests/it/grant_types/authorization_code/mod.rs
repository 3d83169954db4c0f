//! RFC 6749 §4.1.3, RFC 7636 §4.6; docs: grants, "Error table of the token endpoint".

mod checks;
mod pkce;
mod replay;
mod tokens;
