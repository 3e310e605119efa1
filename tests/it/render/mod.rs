//! Rendering, from declarations and templates to the bytes of a mail.

mod check;
pub(crate) mod message;
mod shipped;
mod tracking;

use std::path::Path;

use campaignd::declare::{self, SourceFile};
use campaignd::diagnostic::{self, Problem};
use campaignd::domain::address::EmailAddress;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::catalogue::Catalogue;
use campaignd::domain::consent::Consent;
use campaignd::domain::contact::{Contact, ContactId};
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::domain::name::CampaignName;
use campaignd::domain::score::ScoreValue;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::domain::value::Value;
use campaignd::links::{Links, Signer, SigningKey};
use campaignd::render::{
    self, RenderError, RenderInput, RenderSettings, Rendered, Renderer, TemplateFile, Templates,
};

/// 2027-03-01T08:00:00Z: a Monday, nine o'clock in Paris.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_803_888_000);

/// A project in memory.
pub(crate) struct Shop {
    pub(crate) catalogue: Catalogue,
    pub(crate) templates: Templates,
    pub(crate) settings: RenderSettings,
    /// What `check` says of declarations and templates.
    pub(crate) problems: Vec<Problem>,
    sources: diagnostic::Sources,
}

impl Shop {
    /// Declarations and templates as they would stand in files.
    pub(crate) fn new(declarations: &str, templates: &[(&str, &str)]) -> Self {
        let files: Vec<_> = templates
            .iter()
            .map(|(name, text)| TemplateFile { name: (*name).into(), bytes: text.as_bytes().to_vec() })
            .collect();
        let source =
            SourceFile { name: "campaigns/shop.yaml".into(), bytes: declarations.as_bytes().to_vec() };
        Self::of(declare::read(&[source], Zone::Europe__Paris), Templates::read(&files))
    }

    /// A project folder.
    pub(crate) fn load(folder: &Path) -> Self {
        Self::of(declare::load(folder, Zone::Europe__Paris), Templates::load(folder))
    }

    fn of(declared: declare::Loaded, rendering: render::LoadedTemplates) -> Self {
        let settings = RenderSettings {
            postal_address: "12 rue des Courts, 75016 Paris".to_owned(),
            bounces: None,
            time_zone: Zone::Europe__Paris,
            signers: Vec::new(),
        };
        let catalogue = declared.draft;
        let templates = rendering.templates;
        let mut problems = declared.problems;
        problems.extend(rendering.problems);
        let place_of = |path: &str| declared.places.of(path).cloned();
        problems.extend(render::check(&templates, &catalogue, &settings, &place_of));
        diagnostic::sort(&mut problems);
        let mut sources = declared.sources;
        sources.extend(rendering.sources);
        Self { catalogue, templates, settings, problems, sources }
    }

    /// The problems as a user sees them, one line each: `file:line:column: code: message (hint)`.
    pub(crate) fn problems(&self) -> String {
        let shown = self.problems.iter().map(|problem| {
            let place = problem.place.as_ref().map_or_else(String::new, |place| {
                let line = self.sources.line(&place.file, place.line).unwrap_or("");
                let from = place.column as usize - 1;
                let meant: String = line.chars().skip(from).take(place.length as usize).collect();
                format!("{}:{}:{} <{meant}> ", place.file, place.line, place.column)
            });
            let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
            format!("{place}{}: {}{hint}", problem.code, problem.message)
        });
        shown.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn renderer(&self) -> Renderer {
        Renderer::new(self.templates.clone(), &self.catalogue, links(), self.settings.clone())
    }

    /// Renders a campaign's only version, or the one named.
    pub(crate) fn render(
        &self,
        campaign: &str,
        version: &str,
        reader: &Reader,
    ) -> Result<Rendered, RenderError> {
        render_with(&self.renderer(), campaign, version, reader, DeliveryId(7))
    }
}

pub(crate) fn render_with(
    renderer: &Renderer,
    campaign: &str,
    version: &str,
    reader: &Reader,
    delivery: DeliveryId,
) -> Result<Rendered, RenderError> {
    let (names, values): (Vec<_>, Vec<_>) = reader
        .traits
        .iter()
        .map(|(name, value)| {
            let name = campaignd::domain::name::TraitName::parse(name).expect("a name");
            (name, value.clone())
        })
        .unzip();
    let (score_names, score_values): (Vec<_>, Vec<_>) = reader
        .scores
        .iter()
        .map(|(name, value)| (campaignd::domain::name::ScoreName::parse(name).expect("a name"), Some(*value)))
        .unzip();
    renderer.render(&RenderInput {
        campaign: &CampaignName::parse(campaign).expect("a name"),
        version,
        delivery,
        run: RunId(3),
        tracking: reader.tracking,
        contact: &reader.contact.view(),
        recipient: &EmailAddress::parse(reader.contact.email.as_deref().expect("an address")).expect("valid"),
        trait_names: &names,
        trait_values: &values,
        score_names: &score_names,
        score_values: &score_values,
        date: NOW,
        now: NOW,
    })
}

/// Who gets a mail.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) contact: Contact,
    pub(crate) traits: Vec<(&'static str, Option<Value>)>,
    pub(crate) scores: Vec<(&'static str, ScoreValue)>,
    pub(crate) tracking: Tracking,
}

impl Reader {
    /// A contact with attributes as JSON.
    pub(crate) fn new(language: &str, attributes: &str) -> Self {
        let contact = Contact {
            id: ContactId(1),
            key: "c-1".to_owned(),
            external_id: Some("c-1".to_owned()),
            email: Some("zoe@example.org".to_owned()),
            time_zone: None,
            language: (!language.is_empty()).then(|| language.to_owned()),
            created_at: NOW,
            marketing: Consent::default(),
            tracking: Consent::default(),
            attributes: attributes.to_owned(),
        };
        Self { contact, traits: Vec::new(), scores: Vec::new(), tracking: Tracking::None }
    }

    pub(crate) fn tracked(self, tracking: Tracking) -> Self {
        Self { tracking, ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.traits.push((name, Some(value)));
        self
    }
}

pub(crate) fn links() -> Links {
    let key = SigningKey { id: 1, secret: vec![7; 32] };
    Links::new(Signer::new(&key, &[]), "https://mail.maison.example")
}

/// Declarations that most tests share.
pub(crate) const DECLARATIONS: &str = r#"
defaults: { from: "Maison Roland <bonjour@maison.example>" }
attributes:
  first_name: text
  birth_date: date
  interests: list
  income: { type: number, from: yearly_income }
events:
  purchase: { properties: { amount: number, category: text } }
traits:
  spend: { of: purchase, total: amount }
  favourite: { of: purchase, most_common: category }
campaigns:
  hello:
    description: Says hello
    audience: everyone
    template: hello
    data: { percent: 20, items: [{ name: a, price: 1.5 }, { name: b, price: 20 }], nested: { deep: 1 } }
  note:
    audience: everyone
    purpose: transactional
    template: note
scores:
  engagement: { points: { purchase: 20 }, half_life: 30 days, levels: { cold: 0, warm: 20 } }
  plain: { points: { purchase: 20 }, within: 30 days }
"#;

/// The footer that marketing mail needs.
pub(crate) const FOOTER: (&str, &str) =
    ("_footer.html", "<a href=\"{{ links.unsubscribe }}\">Unsubscribe</a> {{ sender.postal_address }}");

/// A transactional mail without faults.
pub(crate) const NOTE: [(&str, &str); 3] =
    [("note/subject.txt", "A note"), ("note/body.html", "<p>Note</p>"), ("note/body.txt", "Note")];

/// A project whose campaign `hello` has this HTML.
pub(crate) fn hello(html: &str) -> Shop {
    let html = format!("{html}{{% include \"_footer.html\" %}}");
    let mut files = vec![FOOTER, ("hello/subject.txt", "Hello"), ("hello/body.html", html.as_str())];
    files.extend(NOTE);
    Shop::new(DECLARATIONS, &files)
}
