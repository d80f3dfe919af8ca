//! The bytes of an upload as they come.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use kith_protocol::{Code, UploadId, UserId};
use tokio::time::timeout;

use super::{
    Standing,
    turns::{Asked, Turn},
};
use crate::{
    Error, limits,
    media::{Media, parts::Part},
    room::Room,
};

/// The error of a body whose rest did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// The right of one request to write to an upload.
pub struct Going {
    owner: UserId,
    turn: Turn,
    standing: Standing,
}

impl Media {
    /// Lets a request write to an upload from `offset` on, so many bytes if it `announced` them.
    ///
    /// # Errors
    /// `not_found`; `upload_in_use`; `wrong_offset` where the upload is elsewhere; `too_large` for more than its length;
    /// `storage_full`.
    pub async fn go_on(
        &self,
        owner: UserId,
        id: UploadId,
        offset: u64,
        announced: Option<u64>,
    ) -> Result<Going, Error> {
        self.uploads_row(owner, id).await?;
        self.room.for_media(0)?;
        let turn = self.uploads.turns.take(owner, id)?;
        let standing = self.standing(owner, id).await?;
        if standing.offset != offset {
            let detail = format!("The upload goes on at {}.", standing.offset);
            return Err(Error::new(Code::WrongOffset).because(detail));
        }
        if announced.is_some_and(|announced| announced > standing.length - offset) {
            return Err(too_large(&standing));
        }
        Ok(Going { owner, turn, standing })
    }

    /// Adds bytes to an upload. What comes is kept, whatever becomes of the rest, and survives the loss of power when
    /// this answers. With the last byte the upload becomes a media.
    ///
    /// # Errors
    /// `too_large` for more than its length, of which nothing is kept that comes in one piece with what is beyond; what
    /// refuses the whole of it, which is gone then; `upload_in_use` where somebody else goes on with it.
    pub async fn append<B>(self: &Arc<Self>, going: Going, body: B) -> Result<Standing, Error>
    where
        B: Stream<Item = Result<Bytes, Broken>> + Send + 'static,
    {
        // On its own, so that what has come is kept when the one who sends hangs up.
        let media = self.clone();
        let added = tokio::spawn(async move {
            let Going { owner, turn, standing } = going;
            if standing.media.is_some() {
                return Ok(standing);
            }
            let written = media.write(&turn, owner, &standing, body).await;
            let standing = media.standing(owner, standing.id).await?;
            if standing.is_due() {
                return media.end(&turn, owner, standing).await;
            }
            written.map(|()| standing)
        });
        added.await.map_err(|_| Error::new(Code::Internal))?
    }

    async fn write<B>(&self, turn: &Turn, owner: UserId, standing: &Standing, body: B) -> Result<(), Error>
    where
        B: Stream<Item = Result<Bytes, Broken>>,
    {
        let part = self.objects.parts.open(standing.id).await?;
        let taken = take(&self.room, turn, &part, standing, body).await;
        if let Err(error) = part.sync().await {
            // What a failed sync left behind cannot be known.
            self.forget(owner, standing.id).await?;
            return Err(error);
        }
        taken
    }
}

/// Writes a body as it comes, as long as some does.
async fn take<B>(room: &Room, turn: &Turn, part: &Part, standing: &Standing, body: B) -> Result<(), Error>
where
    B: Stream<Item = Result<Bytes, Broken>>,
{
    let mut body = pin!(body);
    let mut left = standing.length - standing.offset;
    let mut waiting = BytesMut::new();
    let (silent, all) = (Duration::from_secs(limits::MEDIA_SILENT_S), Duration::from_secs(limits::UPLOADING_S));
    let soon = Duration::from_millis(limits::UPLOAD_WRITE_MS);
    let began = Instant::now();
    let (mut heard, mut written) = (began, began);
    let ended = loop {
        let wait = if waiting.is_empty() { silent.saturating_sub(heard.elapsed()) } else { soon };
        // Nothing but the wait for the next bytes is ever given up: a write would go on beside that of another request.
        let next = tokio::select! {
            biased;
            Asked::ToMakeWay = turn.asked() => {
                break Err(stalled("It came slowly, and others want to send: go on with another request."));
            }
            _ = turn.asked() => break Err(Error::new(Code::UploadInUse).because("Another request goes on with it.")),
            next = timeout(wait, body.next()) => next,
        };
        match next {
            Ok(Some(Ok(bytes))) if bytes.len() as u64 > left => break Err(too_large(standing)),
            Ok(Some(Ok(bytes))) => {
                left -= bytes.len() as u64;
                turn.came(bytes.len() as u64);
                waiting.extend_from_slice(&bytes);
                heard = Instant::now();
            }
            Ok(Some(Err(Broken))) => break Err(Error::new(Code::InvalidRequest).because("The body broke off.")),
            Ok(None) => break Ok(()),
            Err(_) if heard.elapsed() >= silent => {
                break Err(stalled("The body fell silent: go on with another request."));
            }
            Err(_) => {}
        }
        if began.elapsed() >= all {
            break Err(stalled("The request takes too long: go on with another."));
        }
        if waiting.len() >= limits::UPLOAD_WRITE_BYTES || written.elapsed() >= soon && !waiting.is_empty() {
            room.for_media(0)?;
            part.add(waiting.split().freeze()).await?;
            written = Instant::now();
        }
    };
    if !waiting.is_empty() {
        part.add(waiting.freeze()).await?;
    }
    ended
}

fn too_large(standing: &Standing) -> Error {
    let detail = format!("The upload has {} bytes, and {} of them are there.", standing.length, standing.offset);
    Error::new(Code::TooLarge).because(detail)
}

fn stalled(detail: &str) -> Error {
    Error::new(Code::Unavailable).because(detail).after(Duration::from_secs(1))
}
