//! A batch that is stopped half-way: what the server has is recorded, the rest goes back.

use burdenwatch::daemon;
use tokio_util::sync::CancellationToken;

use crate::house::{House, Plan, queue_mails};
use crate::smtp::{Script, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mail_is_recorded_as_sent_before_the_next_is_begun() {
    const TAKEN: usize = 30;
    let server = Server::start(Script::default()).await;
    let house = House::of(Plan { mail: &House::smtp(&server), ..Plan::default() }).await;
    queue_mails(&house, 100).await;
    let stop = CancellationToken::new();
    let (watched, until) = (server.log.clone(), stop.clone());
    let watcher = tokio::spawn(async move {
        while watched.lock().unwrap().received.len() < TAKEN {
            tokio::task::yield_now().await;
        }
        until.cancel();
    });
    daemon::once(house.setup(), true, &stop).await.unwrap();
    watcher.await.unwrap();
    let received = server.received().len();
    let now = house.now();
    let counts = house.read(|tx| tx.counts(now));
    assert_eq!(usize::try_from(counts.sent).unwrap(), received, "what the server has is recorded");
    assert_eq!(usize::try_from(counts.queued).unwrap(), 100 - received, "the rest goes back as it was");
    house.turn().await;
    assert_eq!(server.received().len(), 100, "each once");
}
