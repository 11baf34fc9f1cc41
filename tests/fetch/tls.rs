//! Certificates: trusted, distrusted, accepted in spite of it, and none to trust by.

use std::sync::Arc;

use burdenwatch::fetch::{FailureKind, Fetcher};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::Url;

use crate::http::{Server, answer, redirect};
use crate::{fetcher, polling, request};

/// Serves one body over TLS as `localhost`, under a CA of its own.
struct Secure {
    url: Url,
    ca: String,
}

async fn serve() -> Secure {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url =
        Url::parse(&format!("https://localhost:{}/feed", listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            // No length and no goodbye: the body ends when the connection breaks off.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfeed").await;
            let _ = stream.flush().await;
            drop(stream);
        }
    });
    Secure { url, ca: ca_pem }
}

#[tokio::test]
async fn an_unknown_issuer_is_refused_unless_the_feed_says_otherwise() {
    let server = serve().await;
    let failure = fetcher().get(&request(&server.url)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.what);
    assert!(failure.what.starts_with("the certificate of localhost:"), "{}", failure.what);
    assert!(failure.what.ends_with("its issuer is unknown to this system"), "{}", failure.what);

    let mut ask = request(&server.url);
    ask.tls_insecure = true;
    assert_eq!(fetcher().get(&ask).await.unwrap().body, b"feed");
}

#[tokio::test]
async fn leniency_does_not_follow_a_redirect_to_another_origin() {
    let server = serve().await;
    let to = server.url.to_string();
    let home = Server::start(move |_| redirect("302 Found", &to)).await;
    let mut ask = request(&home.url("/"));
    ask.tls_insecure = true;
    assert_eq!(fetcher().get(&ask).await.unwrap_err().kind, FailureKind::Tls);
}

#[tokio::test]
async fn a_plain_server_on_an_https_address_is_said_to_have_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 2048]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let failure = fetcher().get(&request(&url)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.what);
    assert!(failure.what.starts_with("no TLS with 127.0.0.1:"), "{}", failure.what);
}

/// Runs [`child`] in a process of its own, whose environment names other certificates.
fn in_child(url: &Url, certificates: &std::path::Path) -> String {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env("CHILD_URL", url.as_str())
        .env("SSL_CERT_FILE", certificates)
        .env("SSL_CERT_DIR", certificates.with_extension("none"))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[ignore = "run by the tests below in a process of its own"]
#[expect(clippy::print_stdout, reason = "what the parent reads")]
async fn child() {
    let Ok(url) = std::env::var("CHILD_URL") else { return };
    let fetcher = Fetcher::new(&polling()).unwrap();
    match fetcher.get(&request(&Url::parse(&url).unwrap())).await {
        Ok(response) => println!("got {}", String::from_utf8_lossy(&response.body)),
        Err(failure) => println!("{:?}: {}", failure.kind, failure.what),
    }
    println!("ready: {:?}", fetcher.ready().await.map_err(|lack| lack.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_systems_certificates_are_what_is_trusted() {
    let server = serve().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, &server.ca).unwrap();
    let said = in_child(&server.url, &file);
    assert!(said.contains("got feed"), "{said}");
    assert!(said.contains("ready: Ok"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_without_certificates_is_told_so_and_still_fetches_plain_http() {
    let server = serve().await;
    let dir = tempfile::tempdir().unwrap();
    let said = in_child(&server.url, &dir.path().join("absent.pem"));
    assert!(said.contains("Tls: localhost:"), "{said}");
    assert!(said.contains("ca-certificates"), "{said}");
    assert!(said.contains("ready: Err"), "{said}");

    let plain = Server::start(|_| answer("200 OK", &[], "plain feed")).await;
    let said = in_child(&plain.url("/"), &dir.path().join("absent.pem"));
    assert!(said.contains("got plain feed"), "{said}");
}
