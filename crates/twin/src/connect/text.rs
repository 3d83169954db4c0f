//! The same for a terminal. The alternate form (`{:#}`) has the code for each library as well.

use std::fmt::{self, Formatter};

use super::{ConnectionDetails, Credentials, Https, zendesk};

impl fmt::Display for ConnectionDetails {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "A double of Zendesk's token API, for tests. It is not Zendesk.")?;
        writeln!(formatter, "Profile {}, subdomain {}", self.profile, self.subdomain)?;
        write_addresses(self, formatter)?;
        write_credentials(&self.credentials, formatter)?;
        writeln!(formatter, "\nTry it")?;
        for command in &self.commands {
            writeln!(formatter, "  # {}\n  {}", command.about, command.command)?;
        }
        writeln!(formatter, "\nEnvironment")?;
        for line in self.exports().lines() {
            writeln!(formatter, "  {line}")?;
        }
        if formatter.alternate() {
            write_libraries(self, formatter)?;
        }
        Ok(())
    }
}

fn write_addresses(details: &ConnectionDetails, formatter: &mut Formatter<'_>) -> fmt::Result {
    if let Some(Https { proxy, ca_file }) = &details.https {
        writeln!(formatter, "\nAs {}", zendesk(&details.subdomain))?;
        writeln!(formatter, "  by the proxy {proxy}, for whoever trusts {ca_file}:")?;
        writeln!(formatter, "  the environment below leads programs there that call nothing else")?;
    }
    writeln!(formatter, "\nAddresses")?;
    let width = details.addresses.iter().map(|address| address.name.len()).max().unwrap_or(0);
    for address in &details.addresses {
        writeln!(formatter, "  {:width$}  {}", address.name, address.url)?;
    }
    Ok(())
}

fn write_credentials(credentials: &Credentials, formatter: &mut Formatter<'_>) -> fmt::Result {
    writeln!(formatter, "\nCredentials, which guard nothing")?;
    for sign_in in &credentials.sign_ins {
        let (email, role, password) = (&sign_in.email, &sign_in.role, &sign_in.password);
        writeln!(formatter, "  {email} ({role}), password {password}")?;
    }
    let email = credentials.email.as_deref().unwrap_or_default();
    if let Some(token) = &credentials.api_token {
        writeln!(formatter, "  API token of {email}: {token}")?;
    }
    if let Some(token) = &credentials.access_token {
        writeln!(formatter, "  access token: {token}")?;
    }
    if let (Some(id), Some(secret)) = (&credentials.client_id, &credentials.client_secret) {
        writeln!(formatter, "  client {id}, secret {secret}")?;
    }
    if let Some(refresh) = &credentials.refresh {
        let (client, token) = (&refresh.client_id, &refresh.refresh_token);
        writeln!(formatter, "  refresh token of client {client}: {token}")?;
    }
    Ok(())
}

fn write_libraries(details: &ConnectionDetails, formatter: &mut Formatter<'_>) -> fmt::Result {
    writeln!(formatter, "\nClient libraries")?;
    for library in &details.libraries {
        writeln!(formatter, "  {} ({})", library.name, library.registry)?;
        if !library.reads.is_empty() {
            writeln!(formatter, "      reads {} itself", library.reads.join(", "))?;
        }
        for line in library.code.lines() {
            writeln!(formatter, "      {line}")?;
        }
    }
    Ok(())
}
