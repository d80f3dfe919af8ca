//! Rows about strangers: the requests with which they come, and the reports that users make.

use kith_protocol::ReportId;

use super::*;

pub(super) const REPORT: u8 = 0;
pub(super) const REPORT_MADE: u8 = 1;

/// A report to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The reporter.
    pub by: UserId,
    /// The time at which it was made.
    pub at: Timestamp,
    /// The user whom it is about.
    pub user: Option<UserId>,
    /// The conversation that it is about.
    pub conversation: Option<ConversationId>,
    /// The reason, in the words of who made it.
    pub reason: String,
    /// The reported messages.
    pub messages: Vec<ReportedMessage>,
}

/// A message as who reported it saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedMessage {
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place there.
    pub seq: u64,
    /// The author.
    pub sender: UserId,
    /// The time of the message.
    pub at: Timestamp,
    /// Its text, cut where it is long.
    pub text: String,
    /// The media that it showed.
    pub attachments: Vec<MediaId>,
}

/// A conversation into which a stranger brought a user, who has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The stranger.
    pub from: UserId,
    /// The time since when it waits.
    pub at: Timestamp,
    /// The time until which it waits.
    pub until: Timestamp,
}

impl Value for Request {}
impl Value for Report {}

/// The rows of the reports.
pub mod report {
    use super::*;

    /// The partition of all reports.
    pub fn partition() -> Vec<u8> {
        vec![b'r']
    }
    /// The row of a [`Report`].
    pub fn row(report: ReportId) -> RowKey {
        RowKey { partition: partition(), key: tagged(REPORT, &[&report.bytes()]) }
    }
    /// The row that says who made a report, without what it shows.
    pub fn made(report: ReportId, by: UserId) -> Vec<u8> {
        tagged(REPORT_MADE, &[&report.bytes(), &by.bytes()])
    }
    /// The rows that say who made each report, in the order of time.
    pub fn all_made() -> KeyRange {
        all(REPORT_MADE)
    }
    /// The report and the user of a row of `all_made`.
    pub fn made_of(key: &[u8]) -> Result<(ReportId, UserId), Error> {
        Ok((ReportId::from_bytes(id_at(key, 1)?), UserId::from_bytes(id_at(key, 17)?)))
    }
    /// The report of a row of a [`Report`].
    pub fn report_of(key: &[u8]) -> Result<ReportId, Error> {
        id_at(key, 1).map(ReportId::from_bytes)
    }
}
