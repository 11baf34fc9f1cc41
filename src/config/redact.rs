//! Hides secrets that stand in a file by mistake, so that no complaint about them prints them.

/// Keys whose values are nobody's business.
const KEYS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "listen_token",
    "secret",
    "api_key",
    "authorization",
    "cookie",
];

/// Returns the text with every secret's bytes replaced by `*`; byte offsets stay what they were.
pub(super) fn redact(text: &str) -> String {
    text.split_inclusive('\n').map(|line| user_info(&keyed(line))).collect()
}

/// Masks the value after a key that names a secret.
fn keyed(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('=') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let key = before.trim_end().trim_end_matches(['"', '\'']);
        let key = key.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').next();
        let secret = key.is_some_and(|key| is_secret(&key.to_ascii_lowercase().replace('-', "_")));
        let after = after.strip_prefix('=').unwrap_or(after);
        out.push('=');
        rest = if secret { mask_value(after, &mut out) } else { after };
    }
    out + rest
}

/// Whether a key's value is a secret.
fn is_secret(key: &str) -> bool {
    KEYS.contains(&key) || key.ends_with("_api_key") || key.ends_with("_token")
}

/// Writes one masked value to `out`, and returns what follows it.
fn mask_value<'t>(text: &'t str, out: &mut String) -> &'t str {
    let value = text.trim_start();
    out.push_str(text.strip_suffix(value).unwrap_or_default());
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (open, body) = match quote {
        Some(_) => value.split_at(1),
        None => ("", value),
    };
    let end = body.find(|c| match quote {
        Some(quote) => c == quote || c == '\n',
        None => matches!(c, ',' | '}' | '\n'),
    });
    let (secret, rest) = body.split_at(end.unwrap_or(body.len()));
    out.push_str(open);
    out.push_str(&"*".repeat(secret.len()));
    rest
}

/// Masks the password in `https://user:password@host`.
fn user_info(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| matches!(c, '/' | '"' | '\'' | '?' | '#') || c.is_whitespace());
        let (authority, tail) = after.split_at(end.unwrap_or(after.len()));
        match authority.rsplit_once('@').and_then(|(info, host)| Some((info.split_once(':')?, host))) {
            Some(((user, password), host)) => {
                out.push_str(&format!("{user}:{}@{host}", "*".repeat(password.len())));
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn secrets_are_hidden_and_nothing_moves() {
        for (text, expected) in [
            ("password = \"hunter2\" # x\n", "password = \"*******\" # x\n"),
            ("a = { password = 'é', b = 1 }", "a = { password = '**', b = 1 }"),
            ("password = unquoted\nb = 1\n", "password = ********\nb = 1\n"),
            ("password = \"open\nb = 1\n", "password = \"****\nb = 1\n"),
            ("password_file = \"/run/x\"\n", "password_file = \"/run/x\"\n"),
            ("h = { \"X-Api-Key\" = \"k\" }", "h = { \"X-Api-Key\" = \"*\" }"),
            ("url = \"https://u:pw@h.example/?a=b\"", "url = \"https://u:**@h.example/?a=b\""),
            ("url = \"https://h.example/a@b:c@d\"", "url = \"https://h.example/a@b:c@d\""),
        ] {
            let redacted = redact(text);
            assert_eq!(redacted, expected);
            assert_eq!(redacted.len(), text.len());
        }
    }
}
