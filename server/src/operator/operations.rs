//! The operations of an operator, done in the server or, where none runs, beside it.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use kith_protocol::{
    Code, ReportId, Timestamp,
    rest::{Invite, Page},
};

use tokio::sync::{mpsc, watch};

use super::backup::Giving;
use crate::{
    Error,
    account::{ImportSummary, Imported, SignedOut, UserLine},
    backends::Backends,
    media::objects::Bytestream,
    node::Node,
    reports::{ReportLine, ReportText},
    timekeeper,
};

/// The operations, on the data directory that this process has open.
#[derive(Clone)]
pub struct Operations {
    node: Arc<Node>,
    backends: Arc<Backends>,
    giving: Arc<Giving>,
}

impl Operations {
    /// On these. `stopping` becomes true when the process ends.
    pub fn new(node: Arc<Node>, backends: Arc<Backends>, stopping: watch::Receiver<bool>) -> Self {
        Self { node, backends, giving: Arc::new(Giving::new(stopping)) }
    }

    /// All users, some at a time.
    pub async fn users(&self, cursor: Option<&str>) -> Result<Page<UserLine>, Error> {
        self.node.accounts.list_all(cursor).await
    }

    /// Gives the user a password that signs in once.
    pub async fn reset(&self, username: &str) -> Result<String, Error> {
        self.node.accounts.reset(username).await.map_err(nobody)
    }

    /// Erases a user.
    pub async fn remove(&self, username: &str) -> Result<(), Error> {
        let user = self.node.accounts.find(username).await.map_err(nobody)?;
        self.node.erase(user, None).await
    }

    /// Suspends a user, or ends that.
    pub async fn suspend(&self, username: &str, suspended: bool) -> Result<(), Error> {
        self.node.accounts.set_suspended(username, suspended).await.map_err(nobody)
    }

    /// Signs all devices of a user out.
    pub async fn sign_out(&self, username: &str) -> Result<SignedOut, Error> {
        self.node.accounts.sign_out(username).await.map_err(nobody)
    }

    /// Signs all devices of some users out.
    pub async fn sign_out_some(&self, cursor: Option<&str>) -> Result<SignedOut, Error> {
        self.node.accounts.sign_out_some(cursor).await
    }

    /// Makes those of the users who are not there.
    pub async fn import(&self, users: Vec<Imported>) -> Result<ImportSummary, Error> {
        self.node.accounts.import(users).await
    }

    /// Makes an invite.
    pub async fn invite(&self) -> Result<Invite, Error> {
        self.node.accounts.invite(None).await
    }

    /// Has another key sign the urls of media.
    pub async fn rotate_media_key(&self) -> Result<(), Error> {
        self.node.media.rotate_key().await
    }

    /// Has another key sign pushes: how many devices have to subscribe anew.
    pub async fn rotate_push_key(&self) -> Result<usize, Error> {
        self.node.push.rotate_key().await
    }

    /// All reports, the oldest first.
    pub async fn reports(&self) -> Result<Vec<ReportLine>, Error> {
        self.node.reports.list().await
    }

    /// One report, with what it shows.
    pub async fn report(&self, id: ReportId) -> Result<ReportText, Error> {
        self.node.reports.show(id).await.map_err(no_report)
    }

    /// Forgets a report.
    pub async fn close_report(&self, id: ReportId) -> Result<(), Error> {
        self.node.reports.close(id).await.map_err(no_report)
    }

    /// Begins a backup: its stream, piece by piece; it goes on until the receiver is dropped. The error is one line for a
    /// person.
    pub async fn backup(&self) -> Result<mpsc::Receiver<Bytes>, String> {
        self.giving.begin(&self.backends, &self.node.media.room).await
    }

    /// The bytes of an object of media while a backup is under way; none where it cannot be read.
    pub async fn backup_object(&self, name: &str) -> Result<Option<Bytestream>, String> {
        self.giving.object(&self.backends.objects(), name).await
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.node.config.data_dir
    }

    /// Believes the wall clock as it is: the time from here on.
    pub async fn accept_clock(&self) -> Result<Timestamp, Error> {
        Ok(timekeeper::accept(&*self.backends.store()).await?)
    }

    /// Makes the search index anew, in a server that runs: how many messages it holds. Messages go on meanwhile; a search
    /// finds what is indexed so far.
    pub async fn reindex(&self) -> Result<u64, Error> {
        self.node.search.reindex().await
    }

    /// The same where no server runs that would do it.
    pub async fn reindex_alone(&self) -> Result<u64, Error> {
        tokio::select! {
            biased;
            messages = self.node.search.reindex() => messages,
            () = self.node.search.run() => Err(Code::Internal.into()),
        }
    }
}

fn no_report(error: Error) -> Error {
    if error.code == Code::NotFound { error.because("there is no such report") } else { error }
}

/// An operator may see all there is, so what they do not find is not there.
fn nobody(error: Error) -> Error {
    if error.code == Code::NotFound { error.because("nobody has this name") } else { error }
}
