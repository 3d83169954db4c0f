//! What settings say together: values that are right alone and wrong beside each other.

use super::{Config, error::Fault, layers::Layers, limits::RATE_LIMIT_KEYS};

/// Refuses what does not go together and draws the consequences of what does.
pub(super) fn check(config: &mut Config, layers: &mut Layers) {
    check_tls(config, layers);
    check_base_url(config, layers);
    if layers.sound(&["server_key", "key_file"])
        && config.server_key.is_some()
        && config.key_file.is_some()
    {
        let fault = Fault::new(
            "the root key is given twice, here and by TOKENRY_SERVER_KEY",
            "keep one of the two",
        );
        layers.refuse_value("key_file", fault);
    }
    if layers.sound(&["listen", "metrics.listen"])
        && config.listen.port() != 0
        && config.metrics.listen == Some(config.listen)
    {
        let fault = Fault::new(
            "metrics would be public: this is the address of the server itself (listen)",
            "give metrics another port",
        );
        layers.refuse_value("metrics.listen", fault);
    }
    if layers.sound(&["tokens.grant_lifetime_max", "tokens.access_token_lifetime"])
        && let Some(most) = config.tokens.grant_lifetime_max
        && config.tokens.access_token_lifetime.is_some_and(|lifetime| most < lifetime)
    {
        let fault = Fault::new(
            "a grant would end before its first access token (tokens.access_token_lifetime)",
            "raise this one or lower the other",
        );
        layers.refuse_value("tokens.grant_lifetime_max", fault);
    }
    if layers.sound(&["limits.url_max", "limits.head_max"])
        && config.limits.url_max >= config.limits.head_max
    {
        let fault = Fault::new(
            "the request target would not fit into the head that holds it (limits.head_max)",
            "make limits.url_max less than limits.head_max",
        );
        layers.refuse_value("limits.url_max", fault);
    }
    if !config.rate_limits {
        config.limits.failed_authentications_per_account = None;
        config.limits.failed_authentications_per_address = None;
        config.limits.failed_bearers_per_address = None;
        config.limits.requests_per_caller = None;
        for key in RATE_LIMIT_KEYS {
            layers.imply(key, "rate_limits = false");
        }
    }
}

/// A certificate without its key, or the other way round, would be plain http by mistake.
fn check_tls(config: &Config, layers: &mut Layers) {
    if !layers.sound(&["tls.certificate", "tls.key"]) {
        return;
    }
    let (missing, there) = match (&config.tls.certificate, &config.tls.key) {
        (Some(_), None) => ("tls.key", "tls.certificate"),
        (None, Some(_)) => ("tls.certificate", "tls.key"),
        _ => return,
    };
    let fault = Fault::new(
        format!("TLS needs a certificate and its key, and {missing} is not set"),
        "set both, or none",
    );
    layers.refuse_value(there, fault);
}

/// Plain http is refused wherever somebody could listen on the way (RFC 6749 §3.1, §3.2; RFC 9700
/// §2.6).
fn check_base_url(config: &Config, layers: &mut Layers) {
    const ALLOW: &str = "or, if something in front of the server really makes this safe, \
         set insecure_http = true (--insecure-http)";
    if !layers.sound(&["listen", "base_url", "insecure_http"]) {
        return;
    }
    let has_tls = config.tls.files().is_some();
    match &config.base_url {
        Some(base) if has_tls && !base.is_https() => {
            let fault = Fault::new(
                "the server speaks https (tls.certificate), and this says http",
                "write https://…, or take the certificate out",
            );
            layers.refuse_value("base_url", fault);
        }
        Some(base) if base.is_https() || base.is_loopback() || config.insecure_http => {}
        Some(_) => {
            let fault = Fault::new(
                "passwords and tokens would cross the network in plain http",
                format!("write https://…, {ALLOW}"),
            );
            layers.refuse_value("base_url", fault);
        }
        None if config.listen.ip().is_unspecified() => {
            let fault = Fault::new(
                format!(
                    "the server would listen on every address ({}) and not know by which its \
                     clients reach it",
                    config.listen
                ),
                "set base_url (--base-url) to the https:// address that clients use",
            );
            layers.refuse_value("listen", fault);
        }
        None if config.listen.ip().is_loopback() || config.insecure_http || has_tls => {}
        None => {
            let fault = Fault::new(
                "without base_url, clients would reach this address in plain http, and passwords \
                 and tokens would cross the network",
                format!(
                    "set base_url (--base-url) to the https:// address that clients use, give the \
                     server a certificate (tls.certificate), {ALLOW}"
                ),
            );
            layers.refuse_value("listen", fault);
        }
    }
}
