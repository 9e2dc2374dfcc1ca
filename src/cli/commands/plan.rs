//! `mtm plan`

use std::path::Path;

use crate::{
    audit::Depth,
    cli::{
        error::{CliError, Exit},
        output::Output,
        plan_args::{PlanArgs, PlanFormat},
        prepare::{self, Ends, Prepared},
        saved_plan::{self, PlanFile},
    },
    plan::{MadeFor, VersionAction},
    report, target,
};

pub(in crate::cli) async fn run(args: &PlanArgs, output: Output) -> Result<Exit, CliError> {
    if args.drift {
        return super::drift::run(args, output).await;
    }
    let named = args.ends.ends(None)?;
    let out = args.out.as_deref().map(PlanFile::at).transpose()?;
    let ends = Ends::open(&named, false, prepare::jobs(None)).await?;
    // What cannot be saved should not cost the reading of a whole file.
    let folder = ends.mapping.versions_dir.clone();
    let save = match (&args.save, &folder) {
        (Some(slug), Some(folder)) => Some((slug.as_str(), folder.as_path())),
        (Some(_), None) => return Err(no_folder()),
        (None, _) => None,
    };
    let prepared = ends.prepare(Depth::Whole, output).await?;
    let plan = &prepared.plan;
    output
        .data(|out| match args.format {
            PlanFormat::Text => report::plan_text(plan, &prepared.target.display, output.paint(), out),
            PlanFormat::Json => report::json(plan, out),
            PlanFormat::Sql => report::plan_sql(plan, out),
            PlanFormat::Markdown => report::plan_markdown(plan, out),
            PlanFormat::Mermaid => report::schema_mermaid(&plan.desired.schema, out),
        })
        .map_err(|error| CliError::io("the plan could not be written", error))?;
    if plan.blockers().next().is_some() {
        if save.is_some() || out.is_some() {
            output.note("Nothing was saved: a blocker forbids this plan.");
        }
        return Ok(Exit::Refused);
    }
    if let Some((slug, folder)) = save {
        save_version(&prepared, slug, folder, output).await?;
    }
    if plan.source_changed() {
        output.error(super::apply::SOURCE_CHANGED, &[], Some(super::apply::SOURCE_CHANGED_HINT));
        if out.is_some() {
            output.note("The plan was not saved: it cannot be carried out.");
        }
        return Ok(Exit::ChangedSource);
    }
    if let (Some(file), Some(path)) = (out, &args.out) {
        file.write(&saved_plan::saved(&prepared, &named.scope).await?)?;
        output.note(&format!(
            "saved the plan to {path}; `mtm apply {path}` carries it out",
            path = path.display()
        ));
    }
    Ok(if args.exit_code && !plan.is_empty() { Exit::Differences } else { Exit::Done })
}

/// Freezes what no pending version covers as a version of its own.
async fn save_version(
    prepared: &Prepared,
    slug: &str,
    folder: &Path,
    output: Output,
) -> Result<(), CliError> {
    let plan = &prepared.plan;
    if plan.version_action == VersionAction::RunThenPlanAgain {
        return Err(CliError::Refused {
            message: format!(
                "what is to be saved is only known once the pending versions have run: {}",
                plan.pending_versions.join(", ")
            ),
            hint: Some("run them with `mtm migrate up` or `mtm apply`, then save".to_owned()),
        });
    }
    if plan.moves.is_some() {
        output.note("note: no version says that tables move to another schema; `mtm apply` moves them");
    }
    let Some(version) = prepared.new_version(slug, MadeFor::AnyTarget).await? else {
        let covered = if plan.pending_versions.is_empty() {
            "the target's schema is what the mapping says"
        } else {
            "the pending versions make all that the mapping says"
        };
        output.note(&format!("Nothing to save: {covered}."));
        return Ok(());
    };
    let path = target::save(folder, &version)?;
    output.note(&format!(
        "saved version {} in {}; `mtm apply` or `mtm migrate up` runs it",
        version.name,
        path.display()
    ));
    Ok(())
}

fn no_folder() -> CliError {
    CliError::Usage {
        message: "--save has nowhere to save to: the mapping names no folder of versions".to_owned(),
        hint: Some(
            "add `versions_dir: FOLDER` to the mapping; it is relative to the mapping's file".to_owned(),
        ),
    }
}
