//! A mail server that follows a script, faults included.

#![allow(dead_code, reason = "shared by test crates, which each use a part")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the server does when a step comes.
#[derive(Debug, Clone)]
pub enum Act {
    /// Says this, CRLF included, in one write.
    Say(Vec<u8>),
    /// Says this and hangs up.
    SayAndDrop(Vec<u8>),
    /// Says this one byte at a time.
    Drip(Vec<u8>),
    /// Says nothing, for ever.
    Stall,
    /// Hangs up.
    Drop,
}

pub fn say(text: &str) -> Act {
    Act::Say(format!("{text}\r\n").into_bytes())
}

/// A script: step (`greeting`, `EHLO`, `MAIL`, `RCPT`, `RCPT b@x`, `DATA`, `body` = hang up inside it, `dot`, ...) to act.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub acts: HashMap<String, Act>,
    pub offers: Vec<String>,
    /// TLS from the first byte.
    pub implicit_tls: bool,
}

impl Script {
    pub fn on(mut self, step: &str, act: Act) -> Self {
        self.acts.insert(step.into(), act);
        self
    }

    pub fn offer(mut self, line: &str) -> Self {
        self.offers.push(line.into());
        self
    }
}

/// One accepted message.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub data: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Log {
    pub received: Vec<Received>,
    pub commands: Vec<String>,
    pub connections: usize,
}

#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    pub log: Arc<Mutex<Log>>,
    /// The certificate to trust, DER.
    pub root: Vec<u8>,
    script: Arc<Mutex<Script>>,
}

impl Server {
    pub async fn start(script: Script) -> Self {
        Self::start_named(script, "localhost").await
    }

    /// The certificate names `name`.
    pub async fn start_named(script: Script, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let root = made.cert.der().to_vec();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        let current = Arc::new(Mutex::new(script));
        let script = Arc::clone(&current);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                shared.lock().unwrap().connections += 1;
                let (script, log, acceptor) =
                    (script.lock().unwrap().clone(), Arc::clone(&shared), acceptor.clone());
                tokio::spawn(async move {
                    if script.implicit_tls {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            talk(stream, &script, &log, true).await;
                        }
                    } else if let Some(bare) = talk(stream, &script, &log, true).await
                        && let Ok(stream) = acceptor.accept(bare).await
                    {
                        talk(stream, &script, &log, false).await;
                    }
                });
            }
        });
        Self { address, log, root, script: current }
    }

    /// Follows another script from the next connection on.
    pub fn follow(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    pub fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().received.clone()
    }

    pub fn commands(&self) -> Vec<String> {
        self.log.lock().unwrap().commands.clone()
    }
}

/// Runs the dialogue; gives the stream back when it is to go on under TLS.
async fn talk<S>(stream: S, script: &Script, log: &Mutex<Log>, greet: bool) -> Option<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    if greet && !act(&mut stream, script.acts.get("greeting"), "220 scripted.example ESMTP").await {
        return None;
    }
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut login_prompts = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        log.lock().unwrap().commands.push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_owned();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let mut step = verb.clone();
        let usual = match verb.as_str() {
            "EHLO" => {
                let mut lines = vec!["scripted.example at your service".to_owned()];
                lines.extend(script.offers.iter().cloned());
                let last = lines.len() - 1;
                let reply: Vec<String> = lines
                    .iter()
                    .enumerate()
                    .map(|(place, line)| format!("250{}{line}", if place == last { ' ' } else { '-' }))
                    .collect();
                reply.join("\r\n")
            }
            "STARTTLS" => "220 go ahead".into(),
            "AUTH" if line == "AUTH LOGIN" => {
                login_prompts = 2;
                "334 VXNlcm5hbWU6".into()
            }
            "AUTH" => "235 welcome".into(),
            "MAIL" => {
                from = address();
                to.clear();
                "250 ok".into()
            }
            "RCPT" => {
                let with = format!("RCPT {}", address());
                if script.acts.contains_key(&with) {
                    step = with;
                }
                to.push(address());
                "250 ok".into()
            }
            "DATA" => "354 go on".into(),
            "QUIT" => "221 bye".into(),
            "RSET" => "250 ok".into(),
            _ if login_prompts > 0 => {
                login_prompts -= 1;
                step = "login".into();
                if login_prompts > 0 { "334 UGFzc3dvcmQ6".into() } else { "235 welcome".into() }
            }
            _ => "500 what".into(),
        };
        if !act(&mut stream, script.acts.get(&step), &usual).await {
            return None;
        }
        if verb == "STARTTLS" {
            return Some(stream.into_inner());
        }
        if verb == "DATA" && !script.acts.contains_key("DATA") {
            let mut data = Vec::new();
            loop {
                let mut line = Vec::new();
                if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
                    return None;
                }
                if line == b".\r\n" {
                    break;
                }
                data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
                if let Some(fault) = script.acts.get("body")
                    && !act(&mut stream, Some(fault), "").await
                {
                    return None;
                }
            }
            log.lock().unwrap().received.push(Received { from: from.clone(), to: to.clone(), data });
            if !act(&mut stream, script.acts.get("dot"), "250 queued as 17").await {
                return None;
            }
        }
        if verb == "QUIT" {
            return None;
        }
    }
}

/// Returns whether the connection goes on.
async fn act<S>(stream: &mut S, act: Option<&Act>, usual: &str) -> bool
where
    S: AsyncWrite + Unpin,
{
    match act.cloned().unwrap_or_else(|| say(usual)) {
        Act::Say(bytes) => stream.write_all(&bytes).await.is_ok() && stream.flush().await.is_ok(),
        Act::SayAndDrop(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            false
        }
        Act::Drip(bytes) => {
            for byte in bytes {
                if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                    return false;
                }
                tokio::task::yield_now().await;
            }
            true
        }
        Act::Stall => std::future::pending().await,
        Act::Drop => false,
    }
}
