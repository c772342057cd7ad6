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
    if wish.adopt_django {
        let differences = migrations.compare_django(db).await?;
        for difference in &differences {
            println!("{difference}");
        }
        if !differences.is_empty() {
            return Err("the tables differ from Django's; nothing was changed".into());
        }
        list("adopted", &migrations.adopt_django(db, haechi_auth::UserTables::OF_DJANGO).await?);
    }
    if built.site.is_shared() {
        list("adopted", &migrations.adopt_django(db, haechi_auth::UserTables::OF_DJANGO).await?);
    }
    list("applied", &migrations.apply(db).await?);
    Ok(ExitCode::SUCCESS)
}

fn list(what: &str, planned: &[Planned]) {
    if planned.is_empty() {
        println!("nothing is {what}");
    }
    for one in planned {
        println!("{what}  {}/{}", one.app, one.name);
    }
}
