//! With `adaptive = false` an interval is kept as it is written.

use std::time::Duration;

use crate::http;
use crate::sink::{Mood, Sink};
use crate::watch::{PATIENCE, Watch, until};
use crate::{DESK, feed};

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_of_a_second_is_kept_through_304s() {
    let document = "<rss version=\"2.0\"><channel><title>Quiet</title><item><title>Nothing</title><guid>1</guid></item></channel></rss>";
    let server = http::Server::start(move |hit| match hit.header("If-None-Match") {
        Some(_) => http::answer("304 Not Modified", &[("ETag", "\"1\"")], ""),
        None => http::answer("200 OK", &[("ETag", "\"1\""), ("Cache-Control", "max-age=3600")], document),
    })
    .await;
    let sink = Sink::start(|_| Mood::Kind).await;
    let watch = Watch::new(&format!("{}{}{DESK}", feed("Quiet", &server.url("/q")), sink.tables()));
    let daemon = watch.start();
    until("eight polls came", PATIENCE, || (server.hits().len() >= 8).then_some(())).await;
    daemon.stop().await;
    let hits = server.hits();
    assert!(hits[1..].iter().all(|hit| hit.header("If-None-Match") == Some("\"1\"")));
    let mut gaps: Vec<Duration> = hits.windows(2).map(|two| two[1].at - two[0].at).collect();
    gaps.sort();
    // Never sooner; and late only by what a busy machine costs.
    assert!(gaps[0] >= Duration::from_millis(950), "{gaps:?}");
    assert!(gaps[gaps.len() / 2] <= Duration::from_millis(1250), "{gaps:?}");
}
