//! SIGHUP: the configuration read again, validated first; the old one stays on any mistake.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::config::load;
use crate::daemon::House;
use crate::daemon::open;
use crate::daemon::poller::Change;
use crate::daemon::systemd;
use crate::flow::Setup;
use crate::problem::{Problem, Severity};

/// Reloads whenever asked.
pub(crate) async fn run(
    house: House,
    installed: watch::Sender<Arc<Setup>>,
    mut reloads: mpsc::Receiver<()>,
    changes: mpsc::Sender<Change>,
) {
    loop {
        tokio::select! {
            () = house.stop.cancelled() => break,
            asked = reloads.recv() => if asked.is_none() { house.stop.cancelled().await; break },
        }
        systemd::reloading();
        match reload(&house, &installed, &changes).await {
            Ok(difference) => tracing::info!("the configuration was read again: {difference}"),
            Err(refusal) => refuse(&house, &refusal).await,
        }
        house.news.notify_one();
        house.mail.notify_one();
        systemd::ready();
    }
}

/// Why a reload was refused: whether only rules are at fault, and the complaints.
struct Refusal {
    problems: Vec<Problem>,
}

async fn reload(
    house: &House,
    installed: &watch::Sender<Arc<Setup>>,
    changes: &mpsc::Sender<Change>,
) -> Result<String, Refusal> {
    let old = house.setup();
    let (path, rules) = (old.config.path.clone(), Arc::clone(&old.rules));
    let loaded = tokio::task::spawn_blocking(move || load::load_again(&path, &rules)).await;
    let loaded = match loaded {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(problems)) => return Err(Refusal { problems }),
        Err(why) => return Err(bare(format!("reading the configuration failed: {why}"))),
    };
    if loaded.config.service.state_dir != old.config.service.state_dir {
        return Err(bare("[service] state_dir has changed: that needs a restart, not a reload".to_owned()));
    }
    let difference = differences(&old, &loaded.config, loaded.rules.hash());
    let setup = open::install(loaded, old.store.clone(), Arc::clone(&old.clock), old.run.clone())
        .map_err(|why| bare(why.to_string()))?;
    // A reload is also how an operator says: try those recipients again.
    let resumed = setup.store.write(|tx| tx.forget_refusals(None)).await;
    let feeds = match resumed {
        Ok(()) => open::resync(&setup).await,
        Err(why) => Err(why),
    }
    .map_err(|why| bare(why.to_string()))?;
    installed.send_replace(Arc::new(setup));
    // The poller may be gone when a stop came meanwhile.
    drop(changes.send(feeds).await);
    Ok(difference)
}

fn bare(what: String) -> Refusal {
    Refusal { problems: vec![Problem::bare(what)] }
}

/// Keeps the old configuration, and says so where the operator and the readers will see it.
async fn refuse(house: &House, refusal: &Refusal) {
    let mut first = None;
    let mut rules = true;
    for problem in refusal.problems.iter().filter(|problem| problem.severity == Severity::Error) {
        let place = problem.place().unwrap_or_else(|| "the configuration".to_owned());
        tracing::error!("{place}: {}; the configuration before stays in force", problem.what);
        let of_rules = problem.source.as_ref().is_some_and(|source| is_rule_file(house, &source.path));
        rules &= of_rules;
        first.get_or_insert_with(|| format!("{place}: {}", problem.what));
    }
    let fact = if rules { "rules.refused" } else { "config.refused" };
    let setup = house.setup();
    let noted = setup.store.write(move |tx| tx.set_fact(fact, first.as_deref())).await;
    if let Err(why) = noted {
        tracing::warn!("the refusal could not be noted for the next digest: {why}");
    }
}

fn is_rule_file(house: &House, path: &Path) -> bool {
    house.setup().config.rule_sources.iter().any(|source| source.path == path)
}

/// Says in words what a reload changes.
fn differences(old: &Setup, new: &Config, rules: &str) -> String {
    let names = |config: &Config| config.feeds.iter().map(|feed| feed.name.clone()).collect::<Vec<_>>();
    let (before, after) = (names(&old.config), names(new));
    let added = after.iter().filter(|name| !before.contains(name)).count();
    let removed = before.iter().filter(|name| !after.contains(name)).count();
    let mut words = vec![format!("{} feeds ({added} added, {removed} removed)", after.len())];
    if old.rules.hash() != rules {
        words.push("new rules".to_owned());
    }
    let subscriptions = |config: &Config| format!("{:?}", config.subscriptions);
    if subscriptions(&old.config) != subscriptions(new) {
        words.push("changed subscriptions".to_owned());
    }
    if format!("{:?}", old.config.mail) != format!("{:?}", new.mail) {
        words.push("changed mail settings".to_owned());
    }
    if format!("{:?}", old.config.polling) != format!("{:?}", new.polling) {
        words.push("changed polling limits".to_owned());
    }
    if old.config.service.listen != new.service.listen {
        words.push("[service] listen has changed and needs a restart".to_owned());
    }
    words.join(", ")
}
