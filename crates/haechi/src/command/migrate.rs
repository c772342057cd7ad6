//! `migrate`: the tables that this version needs.

use std::process::ExitCode;

use haechi_db::Planned;

use super::Failure;
use crate::build::Built;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) check: bool,
    pub(super) plan: bool,
    pub(super) adopt_django: bool,
}

pub(super) async fn run(built: Built, wish: Wish) -> Result<ExitCode, Failure> {
    let (db, migrations) = (built.site.db(), &built.migrations);
    if wish.check || wish.plan {
        let pending = migrations.pending(db).await?;
        list("pending", &pending);
        let dirty = wish.check && !pending.is_empty();
        return Ok(if dirty { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    match (built.app.users.named, wish.adopt_django || built.site.is_shared()) {
        // Whoever made that table keeps it; what is ours stands beside it.
        (true, true) => built.refuse_misfits().await?,
        (false, true) => {
            if wish.adopt_django {
                refuse_differences(&migrations.compare_django(db).await?)?;
            }
            list("adopted", &migrations.adopt_django(db, haechi_auth::UserTables::OF_DJANGO).await?);
        }
        (_, false) => {}
    }
    list("applied", &built.apply().await?);
    Ok(ExitCode::SUCCESS)
}

fn refuse_differences(differences: &[String]) -> Result<(), Failure> {
    if differences.is_empty() {
        return Ok(());
    }
    for difference in differences {
        println!("{difference}");
    }
    Err("the tables differ from Django's; nothing was changed".into())
}

fn list(what: &str, planned: &[Planned]) {
    if planned.is_empty() {
        println!("nothing is {what}");
    }
    for one in planned {
        println!("{what}  {}/{}", one.app, one.name);
    }
}
