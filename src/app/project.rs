//! A project folder, read and checked as a whole: settings, declarations and templates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::declare::{self, Places};
use crate::diagnostic::{self, Problem, Sources};
use crate::dkim::Signer;
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::render::{self, RenderSettings, Templates};
use crate::settings::{self, Settings};

use super::Failure;

/// A project without errors.
#[derive(Debug, Clone)]
pub struct Project {
    /// What `campaignd.yaml` says.
    pub settings: Settings,
    /// What the files below `campaigns/` declare.
    pub catalogue: Catalogue,
    /// Where each declaration stands.
    pub places: Places,
    /// What is below `templates/`, compiled.
    pub templates: Templates,
}

impl Project {
    /// What conditions need to know of the installation.
    pub const fn evaluation_settings(&self) -> EvaluationSettings {
        EvaluationSettings { time_zone: self.settings.time_zone }
    }

    /// The installation's part of every mail.
    pub fn render_settings(&self) -> RenderSettings {
        render_settings(&self.settings)
    }
}

/// All that is to be said of a project folder.
#[derive(Debug)]
pub struct Checked {
    /// The project; `None` when there is an error among the problems.
    pub project: Option<Project>,
    /// Where there is no project: as much of it as could be read. `None` when the settings are wrong.
    draft: Option<Project>,
    /// Errors and warnings of all files, sorted.
    pub problems: Vec<Problem>,
    /// The files' texts.
    pub sources: Sources,
    /// What is worth a word but no problem.
    pub notes: Vec<String>,
    /// How many files were read.
    pub files: usize,
}

impl Checked {
    /// Reads a project folder whole: an error in one file does not hide those of another. Needs no
    /// database, changes nothing.
    pub fn read(folder: &Path, environment: &BTreeMap<String, String>) -> Self {
        let settings = settings::load(folder, environment);
        let time_zone = settings.time_zone;
        let declared = declare::load(folder, time_zone);

        let rendering = Templates::load(folder);

        let mut problems = settings.problems;
        problems.extend(declared.problems);
        problems.extend(rendering.problems);
        if declared.complete {
            // An address that is missing was said of the settings.
            let placeholder = || RenderSettings {
                postal_address: "-".to_owned(),
                bounces: None,
                time_zone,
                signers: Vec::new(),
            };
            let settings = settings.settings.as_ref().map_or_else(placeholder, render_settings);
            problems.extend(unsigned(&settings.signers, &declared.draft, &declared.places));
            let place_of = |path: &str| declared.places.of(path).cloned();
            problems.extend(render::check(&rendering.templates, &declared.draft, &settings, &place_of));
        }
        let mut sources = settings.sources;
        sources.extend(declared.sources);
        sources.extend(rendering.sources);
        diagnostic::sort(&mut problems);

        let is_sound = declared.catalogue.is_some() && !problems.iter().any(Problem::is_error);
        let read = settings.settings.map(|settings| Project {
            settings,
            catalogue: declared.draft,
            places: declared.places,
            templates: rendering.templates,
        });
        let (project, draft) = if is_sound { (read, None) } else { (None, read) };
        Self { project, draft, problems, sources, notes: declared.notes, files: declared.files.len() }
    }

    /// The project, or all that is wrong with it.
    pub fn into_project(self) -> Result<Project, Failure> {
        self.project.ok_or(Failure::Files { problems: self.problems, sources: self.sources })
    }

    /// The project, or as much of it as could be read, with the number of errors: for what must be possible
    /// at any time. Only wrong settings prevent it.
    pub fn into_draft(self) -> Result<(Project, usize), Failure> {
        let errors = self.problems.iter().filter(|problem| problem.is_error()).count();
        match self.project.or(self.draft) {
            Some(project) => Ok((project, errors)),
            None => Err(Failure::Files { problems: self.problems, sources: self.sources }),
        }
    }
}

/// Where some mail is signed, those that are not: one word a domain.
fn unsigned(signers: &[Signer], catalogue: &Catalogue, places: &Places) -> Vec<Problem> {
    let mut told = BTreeSet::new();
    let campaigns = catalogue.campaigns.values().filter(|campaign| {
        let from = &campaign.from.address;
        let is_signed = signers.iter().any(|signer| signer.signs_for(from));
        !signers.is_empty() && !is_signed && told.insert(from.domain().to_lowercase())
    });
    let problem = |campaign: &Campaign| {
        let domain = campaign.from.address.domain();
        let message = format!("mails from {domain} are not signed: no key of `dkim` is for that domain");
        let place = places.of(&format!("campaigns.{}.from", campaign.name))?.clone();
        let known: BTreeSet<_> = signers.iter().map(Signer::domain).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        Some(Problem::warning("unsigned-mail", message, place).hint(format!("there are keys for: {known}")))
    };
    campaigns.filter_map(problem).collect()
}

fn render_settings(settings: &Settings) -> RenderSettings {
    RenderSettings {
        postal_address: settings.sender.postal_address.clone(),
        bounces: settings.sender.bounces.clone(),
        time_zone: settings.time_zone,
        signers: settings.dkim.iter().map(|key| key.signer.clone()).collect(),
    }
}

/// The process's environment. Bytes of a value that are no text become U+FFFD, which settings refuse.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}
