//! What commands get from the web by themselves, beside the daemon.

use std::io;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use url::Url;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::parse;
use crate::cli::parse::Fetched;
use crate::cli::run::runtime;
use crate::config::{Config, Feed, Polling};
use crate::fetch::{Fetcher, Request, Validators};
use crate::news::entry::Context;
use crate::news::parse as reading;

/// `parse`, which may be given an address.
pub fn parse(args: &parse::Args, console: &mut Console) -> io::Result<Outcome> {
    let stdin = io::stdin();
    let well = parse::run(args, &mut stdin.lock(), &mut console.out, &mut console.err, &mut get)?;
    console.out.flush()?;
    Ok(if well { Outcome::Success } else { Outcome::Failure })
}

/// Gets what a person named by address; the address guard is for what feeds name.
pub(crate) fn get(url: &Url) -> Result<Fetched, String> {
    let networks = ["0.0.0.0/0", "::/0"].iter().filter_map(|net| net.parse().ok()).collect();
    let polling = Polling { allow_networks: networks, ..Polling::default() };
    let request = Request {
        url: url.clone(),
        validators: Validators::default(),
        headers: Vec::new(),
        user_agent: None,
        basic_auth: None,
        timeout: polling.timeout,
        max_body: polling.max_body,
        tls_insecure: false,
    };
    let fetcher = Fetcher::new(&polling).map_err(|why| why.to_string())?;
    let runtime = runtime().map_err(|why| why.to_string())?;
    let answer = runtime.block_on(fetcher.get(&request)).map_err(|failure| failure.to_string());
    runtime.shutdown_timeout(Duration::from_millis(100));
    answer.map(|response| Fetched {
        body: response.body,
        content_type: response.content_type,
        address: Some(response.final_url),
    })
}

/// Polls every enabled feed once and says what came; returns whether all could be read.
pub(crate) fn check_feeds(config: &Config, console: &mut Console) -> io::Result<bool> {
    let fetcher = match Fetcher::new(&config.polling) {
        Ok(fetcher) => Arc::new(fetcher),
        Err(why) => return console.fail(why).map(|_| false),
    };
    let limit = Arc::new(tokio::sync::Semaphore::new(config.polling.concurrency));
    let mut well = true;
    runtime()?.block_on(async {
        let mut polls = JoinSet::new();
        for feed in config.feeds.iter().filter(|feed| feed.enabled).cloned() {
            let (fetcher, limit, polling) =
                (Arc::clone(&fetcher), Arc::clone(&limit), config.polling.clone());
            polls.spawn(async move {
                let _turn = limit.acquire_owned().await;
                let said = look_at(&fetcher, &feed, &polling).await;
                (feed.name, said)
            });
        }
        while let Some(Ok((name, said))) = polls.join_next().await {
            match said {
                Ok(words) => writeln!(console.out, "{name}: {words}")?,
                Err(why) => {
                    well = false;
                    writeln!(console.out, "{name}: FAILED, {why}")?;
                }
            }
            console.out.flush()?;
        }
        Ok::<_, io::Error>(())
    })?;
    Ok(well)
}

async fn look_at(fetcher: &Fetcher, feed: &Feed, polling: &Polling) -> Result<String, String> {
    let response = fetcher.get(&Request::of(feed, polling)).await.map_err(|failure| failure.to_string())?;
    let context = Context {
        content_type: response.content_type.as_deref(),
        base: Some(&response.final_url),
        zone: feed.time_zone.clone(),
        lang: feed.language.as_deref(),
    };
    let document = reading::read(&response.body, &context).map_err(|why| why.to_string())?;
    let newest = document.entries.iter().filter_map(|entry| entry.published).max();
    let undated = document.entries.iter().filter(|entry| entry.published.is_none()).count();
    let mut words = format!("{} entries", document.entries.len());
    match newest {
        Some(at) => words.push_str(&format!(", the newest of {at}")),
        None => words.push_str(", none with a date"),
    }
    if undated > 0 && newest.is_some() {
        words.push_str(&format!(", {undated} without a date"));
    }
    if let Some(moved) = &response.moved_to {
        words.push_str(&format!("; moved for good to {moved}"));
    }
    for flaw in document.flaws.iter().take(3) {
        words.push_str(&format!("; {}", flaw.note));
    }
    Ok(words)
}
