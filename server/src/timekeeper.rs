//! Has the wall clock judged while a node runs, and keeps the last good time on the disk for the next run.

use std::time::Duration;

use kith_protocol::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    clock::{
        self,
        judge::{Change, Kept},
    },
    limits,
    store::{
        Change as Put, Error, RowKey, Store, StoreExt as _,
        schema::{self, Value},
    },
};

/// Takes up the last good time that is kept. Before anything is dated or swept.
///
/// # Errors
/// When the store does not answer. A row that does not decode counts as none: the clock is judged without it.
pub async fn open(store: &dyn Store) -> Result<(), Error> {
    let row = RowKey { partition: schema::server::partition(), key: schema::server::clock() };
    let kept = match store.get(vec![row]).await {
        Ok(rows) => rows.into_iter().next().flatten().map(|row| Kept::decode(&row)).transpose(),
        Err(error @ Error::Corrupt(_)) => Err(error),
        Err(error) => return Err(error),
    };
    let kept = kept.unwrap_or_else(|error| {
        tracing::error!(%error, "the last good time is lost; the clock is judged without it");
        None
    });
    say(clock::start(kept.as_ref()));
    keep(store).await;
    Ok(())
}

/// Observes the clock every second, for ever.
pub async fn run(store: &dyn Store) {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept = Instant::now();
    loop {
        second.tick().await;
        let change = clock::observe();
        say(change);
        let believed = matches!(change, Some(Change::Believed { .. }));
        if believed || kept.elapsed() >= Duration::from_secs(limits::CLOCK_KEPT_S) {
            keep(store).await;
            kept = Instant::now();
        }
    }
}

/// Believes the wall clock as it is, and keeps that; the time from here on.
///
/// # Errors
/// When it could not be kept.
pub async fn accept(store: &dyn Store) -> Result<Timestamp, Error> {
    say(clock::accept());
    put(store).await?;
    Ok(clock::now())
}

/// Keeps the time if it is a good one. Where that fails the one before stays, which is as good on this start of the machine.
pub async fn keep(store: &dyn Store) {
    if let Err(error) = put(store).await {
        tracing::debug!(%error, "the time was not kept");
    }
}

async fn put(store: &dyn Store) -> Result<(), Error> {
    let Some(kept) = clock::kept() else { return Ok(()) };
    let put = Put::Put(schema::server::clock(), kept.encode());
    store.change(schema::server::partition(), vec![put]).await
}

/// Tells the operator of a change.
fn say(change: Option<Change>) {
    metrics::gauge!("kith_clock_suspect").set(f64::from(u8::from(clock::is_in_doubt())));
    match change {
        None => {}
        Some(Change::Doubted { ahead_s }) => tracing::warn!(
            ahead_s,
            now = %clock::now(),
            "the wall clock jumped: nothing expires or is forgotten until it returns, has been steady for an hour, or you \
             say that it is right with `kith clock accept`"
        ),
        Some(Change::Believed { ahead_s }) => {
            tracing::info!(ahead_s, now = %clock::now(), "the wall clock is believed again");
        }
    }
}
