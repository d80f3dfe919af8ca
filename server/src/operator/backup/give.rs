//! The server's side of a backup: the database as of one moment, and the objects that were there then.

use std::{
    fs::File,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::{
    io::AsyncReadExt as _,
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{END, Head, Object};
use crate::{
    backends::Backends,
    clock, limits,
    media::objects::{self, Bytestream, Copying, Objects},
    room::Room,
    store::schema,
};

/// The backups of a server, one at a time.
pub(in crate::operator) struct Giving {
    /// The one that is under way.
    running: Mutex<Weak<Activity>>,
    /// Becomes true when the server ends.
    stopping: watch::Receiver<bool>,
}

/// The bytes of a backup, or why there are none: one line for the operator.
pub(in crate::operator) type Given<T> = Result<T, String>;

/// The time at which something of a backup was last taken.
struct Activity(Mutex<Instant>);

/// The reason why no more of a backup is given.
#[derive(Debug)]
enum Ended {
    /// The command has gone.
    Gone,
    /// The command took nothing for too long.
    Stalled,
    /// The server ends.
    Stopping,
    /// The bytes cannot be read.
    Failed(String),
}

impl Activity {
    fn touch(&self) {
        *self.0.lock() = Instant::now();
    }

    /// Ends once nothing was taken for too long.
    async fn stalled(&self) {
        loop {
            let until = *self.0.lock() + Duration::from_secs(limits::BACKUP_STALLED_S);
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

impl Giving {
    /// None is under way. `stopping` becomes true when the server ends.
    pub(in crate::operator) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self { running: Mutex::default(), stopping }
    }

    /// Begins a backup: its stream, piece by piece. It goes on until the receiver is dropped; so long no object is removed.
    pub(in crate::operator) async fn begin(
        &self,
        backends: &Arc<Backends>,
        room: &Room,
    ) -> Given<mpsc::Receiver<Bytes>> {
        let activity = Arc::new(Activity(Mutex::new(Instant::now())));
        {
            let mut running = self.running.lock();
            if running.strong_count() > 0 {
                return Err("another backup is under way".to_owned());
            }
            *running = Arc::downgrade(&activity);
        }
        if let Some(why) = room.lacks_for_copy(backends.backup_bytes()) {
            return Err(why);
        }
        let objects = backends.objects();
        // The bytes of media never change, so those that are there for as long as it takes are those of the moment.
        let kept = objects.copying();
        let (at, backends) = (clock::now(), backends.clone());
        let copying = activity.clone();
        // Whoever asked may go: until the copy is made no other may begin.
        let copied = tokio::task::spawn_blocking(move || {
            let copy = backends.backup();
            drop(copying);
            copy
        });
        let database = copied.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let database_bytes = database.metadata().map_err(|error| error.to_string())?.len();
        let (mut media, mut media_bytes) = (0, 0);
        for first in 0..=u8::MAX {
            for (_, bytes) in objects.list(first).await.map_err(|error| error.to_string())? {
                (media, media_bytes) = (media + 1, media_bytes + bytes);
            }
        }
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let head = Head { program, data_version: schema::VERSION, at, database_bytes, media, media_bytes };
        let (pieces, taken) = mpsc::channel(limits::BACKUP_PIECES);
        let stream = Stream { pieces, activity, objects, _kept: kept };
        tokio::spawn(stream.run(head, database, self.stopping.clone()));
        Ok(taken)
    }

    /// The bytes of an object, while a backup is under way.
    pub(in crate::operator) async fn object(&self, objects: &Objects, name: &str) -> Given<Option<Bytestream>> {
        let running = self.running.lock().clone();
        running.upgrade().ok_or("no backup is under way")?.touch();
        let (sha256, part) = objects::named(name).ok_or("this is no name of an object")?;
        let Ok(found) = objects.read(&sha256, part, None).await else { return Ok(None) };
        let bytes = found.bytes.inspect(move |_| {
            if let Some(activity) = running.upgrade() {
                activity.touch();
            }
        });
        Ok(Some(bytes.boxed()))
    }
}

/// One backup while it is given.
struct Stream {
    pieces: mpsc::Sender<Bytes>,
    activity: Arc<Activity>,
    objects: Arc<Objects>,
    _kept: Copying,
}

impl Stream {
    async fn run(self, head: Head, database: File, mut stopping: watch::Receiver<bool>) {
        let (bytes, media) = (head.database_bytes, head.media);
        tracing::info!(bytes, media, "a backup begins");
        let stopped = async {
            if stopping.wait_for(|stopping| *stopping).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            biased;
            () = stopped => Ended::Stopping,
            ended = self.give(head, database) => ended.err().unwrap_or(Ended::Gone),
        };
        match ended {
            Ended::Gone => tracing::info!("a backup ended"),
            Ended::Stopping => tracing::warn!("a backup ends, since the server does"),
            Ended::Stalled => tracing::warn!("a backup was given up: nothing of it was taken for too long"),
            Ended::Failed(error) => tracing::error!(error, "a backup failed"),
        }
    }

    async fn give(&self, head: Head, database: File) -> Result<(), Ended> {
        let failed = |error: &dyn std::fmt::Display| Ended::Failed(error.to_string());
        let mut line = serde_json::to_vec(&head).map_err(|error| failed(&error))?;
        line.push(b'\n');
        self.piece(line.into()).await?;
        let mut database = tokio::fs::File::from_std(database);
        loop {
            let mut piece = BytesMut::with_capacity(limits::BACKUP_PIECE_BYTES);
            if database.read_buf(&mut piece).await.map_err(|error| failed(&error))? == 0 {
                break;
            }
            self.piece(piece.freeze()).await?;
        }
        // Its room is free from here on, however many media follow.
        drop(database);
        for first in 0..=u8::MAX {
            let listed = self.objects.list(first).await.map_err(|error| failed(&error))?;
            let lines = stream::iter(listed).map(|(name, bytes)| Object::line(&name, bytes));
            let mut pieces = lines.ready_chunks(limits::BACKUP_PIECE_BYTES / limits::BACKUP_LINE_BYTES);
            while let Some(lines) = pieces.next().await {
                self.piece(lines.concat().into()).await?;
            }
        }
        self.piece(format!("{END}\n").into()).await?;
        // The command asks for the bytes of objects until it goes.
        tokio::select! {
            biased;
            () = self.pieces.closed() => Ok(()),
            () = self.activity.stalled() => Err(Ended::Stalled),
        }
    }

    async fn piece(&self, piece: Bytes) -> Result<(), Ended> {
        let place = tokio::select! {
            biased;
            place = self.pieces.reserve() => place.map_err(|_| Ended::Gone)?,
            () = self.activity.stalled() => return Err(Ended::Stalled),
        };
        self.activity.touch();
        place.send(piece);
        Ok(())
    }
}
