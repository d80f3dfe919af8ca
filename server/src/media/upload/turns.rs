//! The right to write to an upload: one request at a time.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use kith_protocol::{Code, UploadId, UserId};
use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};

use crate::{
    Error, limits,
    media::pace::{Pace, who_makes_way},
};

/// The uploads that somebody writes to or removes now.
#[derive(Default)]
pub struct Turns {
    of: Mutex<HashMap<UploadId, Taken>>,
}

struct Taken {
    owner: UserId,
    /// True while it becomes a media, which nothing interrupts.
    ends: bool,
    pace: Pace,
    asked: watch::Sender<Asked>,
    /// Ends with the turn.
    over: watch::Receiver<()>,
}

/// The request to a writer to let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// To let another request go on with the upload.
    ToLetGo,
    /// To make way for another's upload; it no longer counts.
    ToMakeWay,
}

impl Taken {
    fn counts(&self) -> bool {
        *self.asked.borrow() != Asked::ToMakeWay
    }
}

/// The guard by which nobody else writes to the upload; it ends when it is dropped.
pub struct Turn {
    of: Arc<Turns>,
    id: UploadId,
    asked: watch::Receiver<Asked>,
    _over: watch::Sender<()>,
}

impl Turns {
    /// Takes the turn. Where all places are taken a slow sender makes way.
    ///
    /// # Errors
    /// `upload_in_use` where another has it; `overloaded` where the user writes to too many, or all places are taken and
    /// nobody makes way.
    pub fn take(self: &Arc<Self>, owner: UserId, id: UploadId) -> Result<Turn, Error> {
        let mut turns = self.of.lock();
        if turns.contains_key(&id) {
            return Err(Error::new(Code::UploadInUse).after(Duration::from_secs(1)));
        }
        let overloaded = || Error::new(Code::Overloaded).after(Duration::from_secs(1));
        let own = turns.values().filter(|turn| turn.counts() && turn.owner == owner).count();
        if own >= limits::UPLOADING_EACH {
            return Err(overloaded());
        }
        let now = Instant::now();
        if turns.values().filter(|turn| turn.counts()).count() >= limits::UPLOADING {
            let writing = turns.iter().filter(|(_, turn)| turn.counts() && !turn.ends);
            let slow = who_makes_way(writing.map(|(id, turn)| (*id, turn.owner, &turn.pace)), owner, now);
            let slow = turns.get(&slow.ok_or_else(overloaded)?).ok_or_else(overloaded)?;
            slow.asked.send_replace(Asked::ToMakeWay);
            metrics::counter!("kith_slow_senders_evicted_total").increment(1);
        }
        let (ask, asked) = watch::channel(Asked::Nothing);
        let (ended, over) = watch::channel(());
        turns.insert(id, Taken { owner, ends: false, pace: Pace::of(now), asked: ask, over });
        Ok(Turn { of: self.clone(), id, asked, _over: ended })
    }

    /// Returns true while somebody has the turn.
    pub fn is_taken(&self, id: UploadId) -> bool {
        self.of.lock().contains_key(&id)
    }

    /// Has whoever writes stop, with all that has come so far, and waits for that, or for the upload to end.
    pub async fn interrupt(&self, id: UploadId) {
        let over = {
            let turns = self.of.lock();
            let Some(turn) = turns.get(&id) else { return };
            if !turn.ends {
                turn.asked.send_replace(Asked::ToLetGo);
            }
            turn.over.clone()
        };
        wait(over).await;
    }

    /// Waits for the upload to become a media, if it does now.
    pub async fn ended(&self, id: UploadId) {
        let over = self.of.lock().get(&id).filter(|turn| turn.ends).map(|turn| turn.over.clone());
        if let Some(over) = over {
            wait(over).await;
        }
    }
}

async fn wait(mut over: watch::Receiver<()>) {
    // Nothing is ever sent: this ends when the turn does.
    let _ = timeout(Duration::from_secs(limits::UPLOAD_WAIT_S), over.changed()).await;
}

impl Turn {
    /// Waits until something is asked of the one who writes.
    pub async fn asked(&self) -> Asked {
        let mut asked = self.asked.clone();
        let asked = asked.wait_for(|asked| *asked != Asked::Nothing).await.map(|asked| *asked);
        match asked {
            Ok(asked) => asked,
            Err(_) => std::future::pending().await,
        }
    }

    /// Notes that bytes have come.
    pub fn came(&self, bytes: u64) {
        if let Some(turn) = self.of.of.lock().get_mut(&self.id) {
            turn.pace.came(bytes, Instant::now());
        }
    }

    /// From here on it becomes a media.
    pub fn ends(&self) {
        if let Some(turn) = self.of.of.lock().get_mut(&self.id) {
            turn.ends = true;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.of.of.lock().remove(&self.id);
    }
}
