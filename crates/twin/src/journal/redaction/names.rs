//! Names under which secrets go.

/// The longest name of a parameter or member that is taken for one.
const NAME_MAX: usize = 100;

/// Parts of names, and whole ones, without what separates words.
const SECRET_PARTS: [&str; 5] = ["password", "passwd", "secret", "assertion", "credential"];
const SECRET_NAMES: [&str; 7] =
    ["code", "codeverifier", "devicecode", "usercode", "state", "authorization", "apikey"];

/// Whether what goes under this name is nobody's business.
pub(super) fn is_secret(name: &str) -> bool {
    let name = letters(name);
    name.ends_with("token")
        || SECRET_NAMES.contains(&name.as_str())
        || SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Whether it is a password's, of which nothing at all is shown.
pub(super) fn is_password(name: &str) -> bool {
    letters(name).contains("password")
}

/// Whether it reads as a name, and not as whatever somebody has pasted in its place.
pub(super) fn is_name(text: &str) -> bool {
    let is_of_names = |letter: char| {
        letter.is_alphanumeric()
            || matches!(letter, '_' | '-' | '.' | '[' | ']' | '$' | '@' | ':' | '/' | ' ')
    };
    text.len() <= NAME_MAX && text.chars().all(is_of_names)
}

/// `clientSecret`, `client-secret` and `client_secret` are one name.
fn letters(name: &str) -> String {
    let mut letters = String::with_capacity(name.len());
    let of_words = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.extend(of_words.map(|letter| letter.to_ascii_lowercase()));
    letters
}
