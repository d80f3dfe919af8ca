//! The command's side of a backup: it alone opens files, wherever it stands.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{Method, body::Incoming};
use sha2::{Digest as _, Sha256};

use super::{
    END, FORM, Head, Manifest, Object, Progress, Summed, Told,
    folder::{Folder, holds, made, of_file},
    list::{Reading, Writing},
    names_of,
};
use crate::{
    backends::MEDIA,
    limits,
    media::objects::{Part, hexadecimal},
    operator::connection::{AskError, Door},
};

/// The note in a folder in which a backup has begun.
const BEGUN: &str = "A backup into this folder has begun and not ended. The same command goes on with it.\n";

/// The outcome of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Objects in the backup.
    pub media: u64,
    /// Objects that were there before, or in the earlier backup.
    pub kept: u64,
    /// The number of objects that the server could not read, or has with other bytes than were sent.
    pub damaged: u64,
    /// The names of the first of those.
    pub names: Vec<String>,
}

/// Writes a backup of the server behind a socket into a folder that is new, empty, or that was begun with this. Objects that
/// `since`, an earlier backup, has are linked. `progress` is told how far it is.
///
/// It blocks its thread while it reads and writes files.
///
/// # Errors
/// One line for the operator. What is there by then is used by the next attempt.
pub async fn take(
    socket: &Path,
    to: &Path,
    since: Option<&Path>,
    progress: impl FnMut(Progress),
) -> Result<Taken, String> {
    let earlier = since.map(Earlier::open).transpose()?;
    let folder = Folder::begin(to, BEGUN)?;
    if let Some(earlier) = &earlier
        && !folder.is_beside(earlier.folder)?
    {
        let (to, earlier) = (to.display(), earlier.folder.display());
        return Err(format!("{to} is on another file system than {earlier}, whose files so cannot be linked"));
    }
    let mut door = Door::open(socket).await?;
    let mut stream = Lines::new(door.ask(Method::GET, "/backup", &()).await?);
    let head = stream.line().await?;
    let head: Head = serde_json::from_str(&head).map_err(|error| format!("the server sent no backup: {error}"))?;
    let total = head.database_bytes.saturating_add(head.media_bytes);
    let list = Writing::new(to)?;
    let progress = Told::new(progress, total);
    let mut taking =
        Taking { socket, folder, earlier, door: None, list, taken: Taken::default(), media_bytes: 0, progress };
    let database = taking.database(&mut stream, head.database_bytes).await?;
    loop {
        let line = stream.line().await?;
        if line == END {
            break;
        }
        let object = Object::parse(&line).ok_or("the server sent no list of media")?;
        taking.object(&object).await?;
    }
    let Taking { folder, list, taken, media_bytes, .. } = taking;
    let manifest = Manifest {
        version: FORM,
        program: head.program,
        data_version: head.data_version,
        at: head.at,
        database,
        media_list: list.end()?,
        media: taken.media,
        media_bytes,
    };
    folder.end_with(&manifest)?;
    Ok(taken)
}

/// A backup that was made before.
struct Earlier<'a> {
    folder: &'a Path,
    list: Reading,
}

impl<'a> Earlier<'a> {
    fn open(folder: &'a Path) -> Result<Self, String> {
        Manifest::read(folder)?;
        Ok(Self { folder, list: Reading::open(folder)? })
    }
}

/// A backup while it is taken.
struct Taking<'a, P> {
    socket: &'a Path,
    folder: Folder,
    earlier: Option<Earlier<'a>>,
    /// The connection on which objects are asked for.
    door: Option<Door>,
    list: Writing,
    taken: Taken,
    media_bytes: u64,
    progress: Told<P>,
}

impl<P: FnMut(Progress)> Taking<'_, P> {
    async fn database(&mut self, stream: &mut Lines, bytes: u64) -> Result<Summed, String> {
        let path = self.folder.database();
        let (mut file, mut hash, mut left) = (made(&path)?, Sha256::new(), bytes);
        while left > 0 {
            let piece = stream.some(left).await?;
            hash.update(&piece);
            file.write_all(&piece).map_err(of_file(&path))?;
            left -= piece.len() as u64;
            self.progress.add(piece.len() as u64);
        }
        self.taken.database_bytes = bytes;
        Ok(Summed { bytes, sha256: hexadecimal(&hash.finalize().into()) })
    }

    /// Has an object in the backup: as it is there, linked, or fetched.
    async fn object(&mut self, object: &Object) -> Result<(), String> {
        let path = self.folder.file_of(&object.name)?;
        let sha256 = match self.kept(object, &path)? {
            Some(sha256) => {
                self.taken.kept += 1;
                self.progress.add(object.bytes);
                Some(sha256)
            }
            None => self.fetched(object, &path).await?,
        };
        // A thumbnail has no name by its own bytes.
        if sha256.is_none_or(|sha256| object.part == Part::Whole && sha256 != object.sha256) {
            self.taken.damaged += 1;
            names_of(&mut self.taken.names, &object.name);
        }
        let Some(sha256) = sha256 else { return Ok(()) };
        self.taken.media += 1;
        self.media_bytes = self.media_bytes.saturating_add(object.bytes);
        self.list.add(&object.name, &sha256)
    }

    /// The hash of an object that is there from an attempt before, or was linked from the earlier backup; each was read
    /// again, so that damage is not handed on.
    fn kept(&mut self, object: &Object, path: &Path) -> Result<Option<[u8; 32]>, String> {
        let whole = (object.part == Part::Whole).then_some(object.sha256);
        if whole.is_some_and(|sha256| holds(path, object, &sha256)) {
            return Ok(whole);
        }
        let Some(earlier) = &mut self.earlier else { return Ok(None) };
        let Some(sha256) = earlier.list.find(&object.name)?.filter(|it| whole.is_none_or(|whole| whole == *it)) else {
            return Ok(None);
        };
        let there = earlier.folder.join(MEDIA).join(&object.name);
        if !holds(&there, object, &sha256) {
            return Ok(None);
        }
        let _ = fs::remove_file(path);
        Ok(fs::hard_link(&there, path).is_ok().then_some(sha256))
    }

    /// The hash of an object that the server gave; none where it cannot.
    async fn fetched(&mut self, object: &Object, path: &Path) -> Result<Option<[u8; 32]>, String> {
        let mut door = match self.door.take() {
            Some(door) => door,
            None => Door::open(self.socket).await?,
        };
        let asked = door.ask(Method::GET, &format!("/backup/{MEDIA}/{}", object.name), &()).await;
        let body = match asked {
            Ok(body) => body,
            Err(AskError::Refused(status, _)) if status == hyper::StatusCode::NOT_FOUND => {
                self.door = Some(door);
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
        };
        match self.written(object, body, made(path)?).await.map_err(of_file(path))? {
            Some(sha256) => {
                self.door = Some(door);
                Ok(Some(sha256))
            }
            None => {
                fs::remove_file(path).map_err(of_file(path))?;
                Ok(None)
            }
        }
    }

    /// Writes the bytes of an object: their hash, or nothing where they end early.
    async fn written(
        &mut self,
        object: &Object,
        mut body: Incoming,
        mut file: File,
    ) -> std::io::Result<Option<[u8; 32]>> {
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(Ok(piece)) = frame.map(hyper::body::Frame::into_data) else { return Ok(None) };
            hash.update(&piece);
            file.write_all(&piece)?;
            bytes += piece.len() as u64;
            self.progress.add(piece.len() as u64);
        }
        Ok((bytes == object.bytes).then(|| hash.finalize().into()))
    }
}

/// The stream of a backup, read in lines and in pieces.
struct Lines {
    body: Incoming,
    held: BytesMut,
}

impl Lines {
    fn new(body: Incoming) -> Self {
        Self { body, held: BytesMut::new() }
    }

    async fn more(&mut self) -> Result<(), String> {
        let ended = || "the server ended the backup before it was whole: the same command goes on with it".to_owned();
        let frame = self.body.frame().await.ok_or_else(ended)?.map_err(|_| ended())?;
        if let Ok(piece) = frame.into_data() {
            self.held.extend_from_slice(&piece);
        }
        Ok(())
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line = self.held.split_to(end + 1);
                return String::from_utf8(line[..end].to_vec()).map_err(|error| error.to_string());
            }
            if self.held.len() > limits::BACKUP_LINE_BYTES {
                return Err("the server sent a line that is too long".to_owned());
            }
            self.more().await?;
        }
    }

    /// The next bytes, `most` at most and one at least.
    async fn some(&mut self, most: u64) -> Result<Bytes, String> {
        while self.held.is_empty() {
            self.more().await?;
        }
        let length = self.held.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(self.held.split_to(length).freeze())
    }
}
