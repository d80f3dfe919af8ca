//! Accounts, devices, people.

use hyper::Method;
use kith_protocol::{
    DeviceId, Message, UserId,
    rest::{
        ChangePassword, ChangeProfile, DeleteUser, Device, Gateway, Info, Invite, NewReport, NewSession, NewUser, Page,
        PresenceInfo, Profile, ReportMade, SignedIn,
    },
};

use super::{Paging, Rest, path::Query};
use crate::Error;

impl Rest {
    /// Describes the server: `GET /v1/info`.
    pub async fn info(&self) -> Result<Info, Error> {
        self.get("/v1/info").await
    }

    /// Returns the socket to connect to now: `GET /v1/gateway`.
    pub async fn gateway(&self, region: Option<&str>) -> Result<Gateway, Error> {
        self.get(&Query::new("/v1/gateway").with("region", region).done()).await
    }

    /// Makes an account: `POST /v1/users`. Call on with [`Rest::with_token`].
    pub async fn sign_up(&self, user: &NewUser) -> Result<SignedIn, Error> {
        self.send(Method::POST, "/v1/users", user).await
    }

    /// Signs a device in: `POST /v1/sessions`. Call on with [`Rest::with_token`].
    pub async fn sign_in(&self, session: &NewSession) -> Result<SignedIn, Error> {
        self.send(Method::POST, "/v1/sessions", session).await
    }

    /// Signs this device out: `DELETE /v1/sessions/current`.
    pub async fn sign_out(&self) -> Result<(), Error> {
        self.order(Method::DELETE, "/v1/sessions/current").await
    }

    /// Makes an invite: `POST /v1/invites`.
    pub async fn invite(&self) -> Result<Invite, Error> {
        self.send(Method::POST, "/v1/invites", &serde_json::Map::new()).await
    }

    /// Changes one's password, which signs all other devices out: `PUT /v1/users/me/password`.
    pub async fn change_password(&self, change: &ChangePassword) -> Result<(), Error> {
        self.tell(Method::PUT, "/v1/users/me/password", change).await
    }

    /// A profile: `GET /v1/users/{id}`.
    pub async fn user(&self, user: UserId) -> Result<Profile, Error> {
        self.get(&format!("/v1/users/{user}")).await
    }

    /// One's own profile: `GET /v1/users/me`.
    pub async fn me(&self) -> Result<Profile, Error> {
        self.get("/v1/users/me").await
    }

    /// People whose username begins so: `GET /v1/users?username=`.
    pub async fn users(&self, username: &str, paging: &Paging) -> Result<Page<Profile>, Error> {
        self.get(&Query::new("/v1/users").with("username", Some(username)).paging(paging)).await
    }

    /// Changes one's profile: `PUT /v1/users/me`.
    pub async fn change_profile(&self, change: &ChangeProfile) -> Result<Profile, Error> {
        self.send(Method::PUT, "/v1/users/me", change).await
    }

    /// Erases one's account: `DELETE /v1/users/me`.
    pub async fn delete_user(&self, delete: &DeleteUser) -> Result<(), Error> {
        self.tell(Method::DELETE, "/v1/users/me", delete).await
    }

    /// Lists the people whom one blocks: `GET /v1/users/me/blocked`.
    pub async fn blocked(&self, paging: &Paging) -> Result<Page<Profile>, Error> {
        self.get(&Query::new("/v1/users/me/blocked").paging(paging)).await
    }

    /// One's devices: `GET /v1/users/me/devices`.
    pub async fn devices(&self) -> Result<Page<Device>, Error> {
        self.get("/v1/users/me/devices").await
    }

    /// Signs a device out: `DELETE /v1/users/me/devices/{id}`.
    pub async fn revoke(&self, device: DeviceId) -> Result<(), Error> {
        self.order(Method::DELETE, &format!("/v1/users/me/devices/{device}")).await
    }

    /// Blocks somebody: `PUT /v1/users/me/blocked/{user}`.
    pub async fn block(&self, user: UserId) -> Result<(), Error> {
        self.order(Method::PUT, &format!("/v1/users/me/blocked/{user}")).await
    }

    /// Unblocks somebody: `DELETE /v1/users/me/blocked/{user}`.
    pub async fn unblock(&self, user: UserId) -> Result<(), Error> {
        self.order(Method::DELETE, &format!("/v1/users/me/blocked/{user}")).await
    }

    /// Tells the operator of a user, a conversation or messages: `POST /v1/reports`.
    pub async fn report(&self, report: &NewReport) -> Result<ReportMade, Error> {
        self.send(Method::POST, "/v1/reports", report).await
    }

    /// Messages that mention one, newest first: `GET /v1/users/me/mentions`.
    pub async fn mentions(&self, paging: &Paging) -> Result<Page<Message>, Error> {
        self.get(&Query::new("/v1/users/me/mentions").paging(paging)).await
    }

    /// Tells if somebody is there: `GET /v1/users/{id}/presence`.
    pub async fn presence(&self, user: UserId) -> Result<PresenceInfo, Error> {
        self.get(&format!("/v1/users/{user}/presence")).await
    }
}
