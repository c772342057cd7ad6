//! Who may do what: Django's permissions, of users and of their groups.

use std::sync::Arc;
use std::time::Duration;

use haechi_db::{Db, sql};

use crate::rights_store::RightsStore;
use crate::{Auth, Authority, Error, SecurityEvent, UserId};

/// The permissions in Django's tables.
#[derive(Clone, Debug)]
pub(crate) struct Permissions {
    db: Db,
    store: Arc<dyn RightsStore>,
}

impl Auth {
    /// Returns whether the user who is signed in has the permission `app.codename`, directly or through a group.
    ///
    /// A superuser has all. One query a request, whatever is asked; what an administrator takes away is gone at the
    /// next request.
    ///
    /// # Errors
    /// [`Error::InvalidPermission`] for a text without a point; the stores may fail.
    ///
    /// # Security
    /// Nobody, and a user who is not active, has none.
    pub async fn has_permission(&self, permission: &str) -> Result<bool, Error> {
        split(permission)?;
        match self.current_user().await? {
            Some(user) if user.is_active && user.is_superuser => Ok(true),
            Some(user) if user.is_active => {
                Ok(self.granted().await?.binary_search_by(|held| held.as_str().cmp(permission)).is_ok())
            }
            _ => Ok(false),
        }
    }

    /// As [`has_permission`](Self::has_permission) where a no refuses the request: it stands in the security log.
    ///
    /// One row a minute for a user and a permission, however often it is tried.
    ///
    /// # Errors
    /// As `has_permission`, also if the log cannot be written.
    pub async fn require_permission(&self, permission: &str) -> Result<bool, Error> {
        if self.has_permission(permission).await? {
            return Ok(true);
        }
        let user = self.current_user().await?.map(|user| user.id);
        let event = format!("denial {user:?} {} {permission}", self.network);
        if self.authority.is_first(&event, Duration::from_secs(60)) {
            self.log(SecurityEvent::Denial, user, permission).await?;
        }
        Ok(false)
    }

    /// Returns the permissions of the user who is signed in, sorted; of a superuser all that there are.
    ///
    /// # Errors
    /// The stores may fail.
    pub async fn permissions(&self) -> Result<Vec<String>, Error> {
        Ok(self.granted().await?.to_vec())
    }
}

impl Authority {
    /// Gives a user the permission `app.codename`, which is made if there is none of that name.
    ///
    /// # Errors
    /// [`Error::InvalidPermission`], or the database fails, also if there is no such user.
    pub async fn grant(&self, user: impl Into<UserId>, permission: &str) -> Result<(), Error> {
        let (user, permission) = (user.into(), self.permissions.make(permission).await?);
        self.permissions.store.grant(user, permission).await
    }

    /// Takes a permission away that was given to the user directly; returns whether it was. What a group gives stays.
    ///
    /// # Errors
    /// [`Error::InvalidPermission`], or the database fails.
    pub async fn revoke(&self, user: impl Into<UserId>, permission: &str) -> Result<bool, Error> {
        let (user, (app, codename)) = (user.into(), split(permission)?);
        self.permissions.store.revoke(user, app, codename).await
    }

    /// Returns the group called `name`, and makes it if there is none.
    ///
    /// # Errors
    /// The database may fail, also if the name has more than 150 characters.
    pub async fn create_group(&self, name: &str) -> Result<i64, Error> {
        let db = &self.permissions.db;
        sql!("insert into auth_group (name) values ({name}) on conflict (name) do nothing")
            .execute(db)
            .await?;
        Ok(sql!(i64, "select id from auth_group where name = {name}").one(db).await?)
    }

    /// Gives all members of a group the permission `app.codename`, which is made if there is none of that name.
    ///
    /// # Errors
    /// [`Error::InvalidPermission`], or the database fails, also if there is no such group.
    pub async fn grant_group(&self, group: i64, permission: &str) -> Result<(), Error> {
        let permission = self.permissions.make(permission).await?;
        sql!(
            "insert into auth_group_permissions (group_id, permission_id) values ({group}, {permission})
             on conflict (group_id, permission_id) do nothing"
        )
        .execute(&self.permissions.db)
        .await?;
        Ok(())
    }

    /// Puts a user into a group.
    ///
    /// # Errors
    /// The database may fail, also if there is no such user or group.
    pub async fn join_group(&self, user: impl Into<UserId>, group: i64) -> Result<(), Error> {
        self.permissions.store.join(user.into(), group).await
    }

    /// Takes a user out of a group; returns whether they were in it.
    ///
    /// # Errors
    /// The database may fail.
    pub async fn leave_group(&self, user: impl Into<UserId>, group: i64) -> Result<bool, Error> {
        self.permissions.store.leave(user.into(), group).await
    }
}

impl Permissions {
    pub(crate) fn new(db: Db, store: Arc<dyn RightsStore>) -> Self {
        Self { db, store }
    }

    /// Returns what `user` has, sorted by bytes.
    pub(crate) async fn of(&self, user: UserId, everything: bool) -> Result<Vec<String>, Error> {
        let rows: Vec<(String, String)> = match everything {
            true => {
                sql!(
                    (String, String),
                    "select distinct c.app_label, p.codename from auth_permission p
                     join django_content_type c on c.id = p.content_type_id"
                )
                .all(&self.db)
                .await?
            }
            false => self.store.held(user).await?,
        };
        let mut names: Vec<_> = rows.into_iter().map(|(app, codename)| format!("{app}.{codename}")).collect();
        // Here and not by the database: PostgreSQL sorts by the collation of the column.
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the permission's key. One that a Django made keeps its content type; ours have the model `haechi`.
    async fn make(&self, permission: &str) -> Result<i64, Error> {
        let (app, codename) = split(permission)?;
        if let Some(id) = self.find(app, codename).await? {
            return Ok(id);
        }
        let (db, model) = (&self.db, "haechi");
        sql!(
            "insert into django_content_type (app_label, model) values ({app}, {model})
             on conflict (app_label, model) do nothing"
        )
        .execute(db)
        .await?;
        let content_type =
            sql!(i64, "select id from django_content_type where app_label = {app} and model = {model}")
                .one(db)
                .await?;
        sql!(
            "insert into auth_permission (content_type_id, codename, name) values ({content_type}, {codename}, {codename})
             on conflict (content_type_id, codename) do nothing"
        )
        .execute(db)
        .await?;
        self.find(app, codename).await?.ok_or(Error::InvalidPermission)
    }

    async fn find(&self, app: &str, codename: &str) -> Result<Option<i64>, Error> {
        let found = sql!(
            i64,
            "select p.id from auth_permission p join django_content_type c on c.id = p.content_type_id
             where c.app_label = {app} and p.codename = {codename} order by p.id limit 1"
        )
        .optional(&self.db)
        .await?;
        Ok(found)
    }
}

/// Django's rule: the label of an application has no point, a codename may have some.
fn split(permission: &str) -> Result<(&str, &str), Error> {
    let fits = |part: &str| (1..=100).contains(&part.chars().count()) && !part.contains(['\0', ' ']);
    permission
        .split_once('.')
        .filter(|(app, codename)| fits(app) && fits(codename))
        .ok_or(Error::InvalidPermission)
}
