//! Tables of keys. What may be written in a map stands in one [`Group`]: it drives the reader,
//! the messages about unknown and missing keys, and the documentation.

/// The keys of one kind of map.
#[derive(Debug)]
pub struct Group {
    /// What such a map is, for messages: `a campaign`.
    pub name: &'static str,
    /// Where such maps stand: `campaigns.NAME`.
    pub path: &'static str,
    /// What may be written in them, in the order of the documentation.
    pub keys: &'static [Key],
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// The key itself.
    pub name: &'static str,
    /// What its value is, for messages: `a length of time`.
    pub value: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The key with a value, in one line.
    pub example: &'static str,
    /// Whether this version has it.
    pub available: bool,
}

impl Key {
    /// A key of this version.
    pub const fn new(
        name: &'static str,
        value: &'static str,
        meaning: &'static str,
        example: &'static str,
    ) -> Self {
        Self { name, value, meaning, example, available: true }
    }

    /// A key that this version does not have yet.
    pub const fn later(name: &'static str, meaning: &'static str) -> Self {
        Self { name, value: "", meaning, example: "", available: false }
    }
}

impl Group {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of the keys of this version.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().filter(|key| key.available).map(|key| key.name)
    }
}

/// The tables as a page of documentation, in Markdown.
pub fn markdown(groups: &[&Group]) -> String {
    groups.iter().map(|group| section(group)).collect::<Vec<_>>().join("\n")
}

fn section(group: &Group) -> String {
    let heading = match group.path {
        "" => "The top level".to_owned(),
        path if group.name.starts_with('`') => format!("`{path}`"),
        path => format!("`{path}`: {}", group.name),
    };
    let (keys, later): (Vec<_>, Vec<_>) = group.keys.iter().partition(|key| key.available);
    let rows = keys.iter().map(|key| {
        let row = [
            format!("`{}`", key.name),
            key.value.to_owned(),
            key.meaning.to_owned(),
            format!("`{}`", key.example),
        ];
        format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|")).join(" | "))
    });
    let later: Vec<_> = later.iter().map(|key| format!("`{}` ({})", key.name, key.meaning)).collect();
    let later = if later.is_empty() {
        String::new()
    } else {
        format!("\nNot in this version: {}.\n", later.join(", "))
    };
    format!(
        "## {heading}\n\n| key | value | meaning | for example |\n|---|---|---|---|\n{}{later}",
        rows.collect::<Vec<_>>().concat()
    )
}
