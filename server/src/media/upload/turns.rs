//! Whose turn it is to write to an upload: one request at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kith_protocol::{Code, UploadId, UserId};
use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};

use crate::{Error, limits};

/// The uploads that somebody writes to or removes now.
#[derive(Default)]
pub struct Turns {
    of: Mutex<HashMap<UploadId, Taken>>,
}

struct Taken {
    owner: UserId,
    /// Whether it becomes a media, which nothing interrupts.
    ends: bool,
    let_go: watch::Sender<bool>,
    /// Ends with the turn.
    over: watch::Receiver<()>,
}

/// That nobody else writes to the upload; ends when it is dropped.
pub struct Turn {
    of: Arc<Turns>,
    id: UploadId,
    asked: watch::Receiver<bool>,
    _over: watch::Sender<()>,
}

impl Turns {
    /// Takes the turn.
    ///
    /// # Errors
    /// `upload_in_use` where another has it; `overloaded` where too many write.
    pub fn take(self: &Arc<Self>, owner: UserId, id: UploadId) -> Result<Turn, Error> {
        let mut turns = self.of.lock();
        if turns.contains_key(&id) {
            return Err(Error::new(Code::UploadInUse).after(Duration::from_secs(1)));
        }
        let own = turns.values().filter(|turn| turn.owner == owner).count();
        if own >= limits::UPLOADING_EACH || turns.len() >= limits::UPLOADING {
            return Err(Error::new(Code::Overloaded).after(Duration::from_secs(1)));
        }
        let (let_go, asked) = watch::channel(false);
        let (ended, over) = watch::channel(());
        turns.insert(id, Taken { owner, ends: false, let_go, over });
        Ok(Turn { of: self.clone(), id, asked, _over: ended })
    }

    /// Whether somebody has the turn.
    pub fn is_taken(&self, id: UploadId) -> bool {
        self.of.lock().contains_key(&id)
    }

    /// Has whoever writes stop, with all that has come so far, and waits for that, or for the upload to end.
    pub async fn interrupt(&self, id: UploadId) {
        let over = {
            let turns = self.of.lock();
            let Some(turn) = turns.get(&id) else { return };
            if !turn.ends {
                turn.let_go.send_replace(true);
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
    /// Ends when another asks for the turn.
    pub async fn asked_for(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
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
