//! `[service]`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::Service;
use super::address::address;
use super::secret::{self, Env, variable};
use super::tree::Section;
use super::unit::{Complaint, duration, shown, zone};

/// Reads `[service]`; `None` when what is required could not be had.
pub(super) fn read(root: &Section<'_>, env: Env<'_>) -> Option<Service> {
    let section = root.section("service", "[service]", "write [service] above its keys");
    let given = section
        .parsed("state_dir", "\"/var/lib/burdenwatch\"", |text| Ok(section.file().resolve(text)))
        .map(|dir| dir.value);
    let state_dir = given.or_else(|| usual_state_dir(env));
    if state_dir.is_none() {
        section.missing(
            "state_dir",
            "neither $STATE_DIRECTORY, $XDG_STATE_HOME nor $HOME is set: write it here",
        );
    }
    let (time_zone_name, time_zone) = section
        .parsed("time_zone", "\"Asia/Seoul\"", zone)
        .map_or_else(|| ("UTC".to_owned(), TimeZone::UTC), |zone| zone.value);
    let retention = section.parsed("retention", "\"180d\"", duration);
    let operator = section.parsed("operator", "\"ops@example.org\"", address);
    let listen = section.parsed("listen", "\"127.0.0.1:9108\"", socket);
    section
        .refuse_secret("listen_token", "put it into a file of its own and name that in `listen_token_file`");
    let listen_token = secret::find(&section, "listen_token_file", "listen_token", env);
    if let (Some(listen), Ok(None)) = (&listen, &listen_token)
        && !listen.value.ip().is_loopback()
    {
        section.error(
            &listen.span,
            format!("{} is reachable from other machines, and no token protects it", listen.value),
            "listen on 127.0.0.1, or name a file with a token in `listen_token_file`",
        );
    }
    section.finish();
    Some(Service {
        state_dir: state_dir?,
        time_zone_name,
        time_zone,
        retention: retention.map_or(Duration::from_secs(180 * 86_400), |retention| retention.value),
        operator: operator.map(|operator| operator.value),
        listen: listen.map(|listen| listen.value),
        listen_token: listen_token.ok().flatten(),
    })
}

/// systemd's directory, else the user's.
fn usual_state_dir(env: Env<'_>) -> Option<PathBuf> {
    let absolute = |text: String| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    // systemd separates several with colons; ours is the first.
    let of_service =
        variable(env, "STATE_DIRECTORY").and_then(|dirs| absolute(dirs.split(':').next()?.to_owned()));
    let of_user = || {
        variable(env, "XDG_STATE_HOME")
            .and_then(absolute)
            .or_else(|| Some(absolute(variable(env, "HOME")?)?.join(Path::new(".local/state"))))
            .map(|dir| dir.join("burdenwatch"))
    };
    of_service.or_else(of_user)
}

/// Reads `"127.0.0.1:9108"`, `"[::1]:9108"`, `"localhost:9108"`.
fn socket(text: &str) -> Result<SocketAddr, Complaint> {
    text.replacen("localhost:", "127.0.0.1:", 1).parse().map_err(|_| {
        Complaint::new(
            format!("{} is not an address to listen on", shown(text)),
            "write an IP address and a port, such as \"127.0.0.1:9108\"",
        )
    })
}
