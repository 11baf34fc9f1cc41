use super::*;

const GAP: Duration = Duration::from_secs(2);

/// One visit: takes its turn, stays for `stay`, says when it started.
async fn visit(turns: Arc<Turns>, host: &'static str, stay: Duration) -> Instant {
    let place = turns.enter(host).await;
    let _running = turns.start(&place).await;
    let started = Instant::now();
    tokio::time::sleep(stay).await;
    started
}

async fn visits(turns: &Arc<Turns>, count: usize, host: &'static str, stay: Duration) -> Vec<Duration> {
    let begin = Instant::now();
    let all: Vec<_> = (0..count).map(|_| tokio::spawn(visit(Arc::clone(turns), host, stay))).collect();
    let mut starts = Vec::new();
    for one in all {
        starts.push(one.await.unwrap() - begin);
    }
    starts.sort();
    starts
}

fn seconds(starts: &[Duration]) -> Vec<u64> {
    starts.iter().map(Duration::as_secs).collect()
}

#[tokio::test(start_paused = true)]
async fn starts_at_one_host_keep_the_gap() {
    let turns = Arc::new(Turns::new(32, 1, GAP));
    assert_eq!(seconds(&visits(&turns, 4, "a", Duration::from_secs(1)).await), [0, 2, 4, 6]);
    // A request longer than the gap is waited for as well.
    let turns = Arc::new(Turns::new(32, 1, GAP));
    assert_eq!(seconds(&visits(&turns, 3, "a", Duration::from_secs(5)).await), [0, 5, 10]);
}

#[tokio::test(start_paused = true)]
async fn several_places_at_a_host_keep_the_gap_too() {
    let turns = Arc::new(Turns::new(32, 3, GAP));
    assert_eq!(seconds(&visits(&turns, 5, "a", Duration::from_secs(9)).await), [0, 2, 4, 9, 11]);
}

#[tokio::test(start_paused = true)]
async fn hosts_do_not_wait_for_each_other() {
    let turns = Arc::new(Turns::new(2, 1, GAP));
    let busy = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move { visits(&turns, 50, "busy", Duration::ZERO).await }
    });
    tokio::task::yield_now().await;
    let begin = Instant::now();
    visit(Arc::clone(&turns), "other", Duration::ZERO).await;
    assert_eq!(Instant::now() - begin, Duration::ZERO);
    assert_eq!(busy.await.unwrap().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_does_not_void_the_gap() {
    // One place in all, taken for 10 s: both visitors of "a" wait for it, and still start apart.
    let turns = Arc::new(Turns::new(1, 2, GAP));
    let holder = tokio::spawn(visit(Arc::clone(&turns), "b", Duration::from_secs(10)));
    tokio::task::yield_now().await;
    assert_eq!(seconds(&visits(&turns, 2, "a", Duration::ZERO).await), [10, 12]);
    holder.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_called_off_is_given_back() {
    let turns = Arc::new(Turns::new(1, 1, Duration::ZERO));
    let stuck = tokio::spawn(visit(Arc::clone(&turns), "a", Duration::from_secs(3600)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stuck.abort();
    let _ = stuck.await;
    let begin = Instant::now();
    visit(Arc::clone(&turns), "a", Duration::ZERO).await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn idle_hosts_are_forgotten() {
    let turns = Turns::new(32, 1, GAP);
    for number in 0..REMEMBERED * 4 {
        let place = turns.enter(&format!("host{number}")).await;
        drop(turns.start(&place).await);
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    let known = turns.hosts.lock().unwrap().by_name.len();
    assert!(known <= REMEMBERED, "{known}");
}

#[tokio::test(start_paused = true)]
async fn a_host_is_quiet_from_the_end_of_a_visit() {
    let turns = Arc::new(Turns::new(32, 1, GAP));
    assert_eq!(turns.enter("a").await.quiet_for(), None);
    visit(Arc::clone(&turns), "a", Duration::from_secs(5)).await;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(turns.enter("a").await.quiet_for(), Some(Duration::from_secs(3)));
    assert_eq!(turns.enter("b").await.quiet_for(), None);
}
