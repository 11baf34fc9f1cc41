//! Subscriptions that are taken out of the configuration while something waits for them.

use burdenwatch::daemon::open;
use burdenwatch::flow::subscribers;

use super::pace::TITLES;
use crate::house::{DESK, House, Plan, hours, item, minutes};

const OTHER: &str = "
[[subscription]]
name = \"other\"
to = [\"other@example.org\"]
digest = { at = \"18:00\" }
";

#[tokio::test]
async fn an_alert_of_a_subscription_that_is_gone_waits_for_nobody_and_is_not_forgotten() {
    let both = format!("{DESK}{OTHER}");
    let mut house = House::of(Plan { once: false, subscriptions: &both, ..Plan::default() }).await;
    house.turn().await;
    house.show("one", &[item("a", TITLES[0])]);
    house.clock.advance(hours(1));
    house.turn().await;
    assert_eq!(house.read(|tx| tx.waiting_alerts()).len(), 2);
    assert!(house.read(|tx| tx.next_alert(&["desk"])).is_some());
    house.reconfigure(OTHER, "");
    open::sync(house.setup()).await.unwrap();
    let waiting = house.read(|tx| tx.waiting_alerts());
    assert_eq!(waiting.iter().map(|alert| alert.subscription.as_str()).collect::<Vec<_>>(), ["desk"]);
    assert_eq!(house.read(|tx| tx.next_alert(&["other"])), None);
    let gone = house.read(subscribers::gone).unwrap();
    assert_eq!((gone.subscriptions, gone.alerts), (vec!["other".to_owned()], 1));
    house.after(minutes(10)).await;
    assert_eq!(house.count("alert"), 1);
    // Put back: what was closed stands in its digest.
    house.reconfigure(DESK, &both);
    house.after(hours(9)).await;
    let digests = house.mails("digest");
    let digest = digests.iter().find(|mail| mail.row.subscription == "other").unwrap();
    assert!(digest.text.contains(TITLES[0]), "{}", digest.text);
}
