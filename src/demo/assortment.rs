//! What the made-up shop sells, and who buys there: tables without any logic.

/// A thing that is sold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    /// In cents.
    pub(super) price: u32,
}

const fn product(category: &'static str, name: &'static str, price: u32) -> Product {
    Product { name, category, price }
}

/// Everything on the shelves.
pub(super) const PRODUCTS: &[Product] = &[
    product("tennis", "Presto tour racket", 21_900),
    product("tennis", "Presto club racket", 12_900),
    product("tennis", "Match balls, can of 4", 890),
    product("tennis", "Training balls, bag of 60", 7_900),
    product("tennis", "Polyester string, 12 m", 1_590),
    product("tennis", "Clay court shoes", 11_900),
    product("padel", "Carbon padel racket", 18_900),
    product("padel", "First padel racket", 8_900),
    product("padel", "Padel balls, can of 3", 690),
    product("padel", "Racket bag for six", 7_490),
    product("badminton", "Feather shuttles, tube of 12", 2_490),
    product("badminton", "Light badminton racket", 9_490),
    product("badminton", "Overgrips, set of 12", 1_890),
    product("hiking", "Day pack, 24 litres", 8_900),
    product("hiking", "Folding poles", 6_490),
    product("hiking", "Merino socks, 3 pairs", 2_790),
    product("climbing", "Sport harness", 6_290),
    product("climbing", "Single rope, 60 m", 15_900),
    product("climbing", "Chalk, 300 g", 990),
    product("running", "Long-distance shoes", 13_900),
    product("running", "Light rain jacket", 8_490),
    product("running", "Soft flask, 500 ml", 1_690),
];

/// What people are interested in: the categories of [`PRODUCTS`].
pub(super) const INTERESTS: &[&str] = &["tennis", "padel", "badminton", "hiking", "climbing", "running"];

/// A country with people of one language in one zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    pub(super) country: &'static str,
    pub(super) zone: &'static str,
    pub(super) language: &'static str,
    /// Its share of all contacts, in thousandths.
    pub(super) weight: u32,
    pub(super) city: &'static str,
}

const fn region(
    country: &'static str,
    zone: &'static str,
    language: &'static str,
    weight: u32,
    city: &'static str,
) -> Region {
    Region { country, zone, language, weight, city }
}

/// Where the contacts live; the weights add up to 1,000.
pub(super) const REGIONS: &[Region] = &[
    region("FR", "Europe/Paris", "fr", 430, "Lyon"),
    region("BE", "Europe/Brussels", "fr", 70, "Namur"),
    region("BE", "Europe/Brussels", "nl", 50, "Gent"),
    region("CH", "Europe/Zurich", "fr", 50, "Lausanne"),
    region("CH", "Europe/Zurich", "de", 40, "Bern"),
    region("DE", "Europe/Berlin", "de", 120, "Köln"),
    region("GB", "Europe/London", "en", 110, "Leeds"),
    region("US", "America/New_York", "en", 50, "Boston"),
    region("US", "America/Los_Angeles", "en", 30, "Portland"),
    region("CA", "America/Toronto", "fr", 30, "Québec"),
    region("AU", "Australia/Sydney", "en", 20, "Hobart"),
];

/// First and last names of a language.
pub(super) const fn names(language: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match language.as_bytes() {
        b"fr" => (FRENCH_FIRST, FRENCH_LAST),
        b"de" => (GERMAN_FIRST, GERMAN_LAST),
        b"nl" => (DUTCH_FIRST, DUTCH_LAST),
        _ => (ENGLISH_FIRST, ENGLISH_LAST),
    }
}

const FRENCH_FIRST: &[&str] = &[
    "Amélie", "Anaïs", "Antoine", "Camille", "Chloé", "Élodie", "Gabriel", "Hugo", "Inès", "Jules", "Léa",
    "Louis", "Lucie", "Maël", "Manon", "Mathis", "Noé", "Raphaël", "Sophie", "Théo", "Yasmine", "Zoé",
];
const FRENCH_LAST: &[&str] = &[
    "Bernard",
    "Blanchard",
    "Bonnet",
    "Chevalier",
    "Dubois",
    "Fournier",
    "Girard",
    "Guérin",
    "Lambert",
    "Lefèvre",
    "Martin",
    "Mercier",
    "Moreau",
    "Noël",
    "Petit",
    "Roux",
    "Thévenet",
    "Traoré",
];
const GERMAN_FIRST: &[&str] = &[
    "Anna", "Björn", "Felix", "Greta", "Hanna", "Jonas", "Jürgen", "Käthe", "Lena", "Lukas", "Mia", "Murat",
    "Paula", "Sören",
];
const GERMAN_LAST: &[&str] = &[
    "Becker", "Böhm", "Hoffmann", "Köhler", "Müller", "Schäfer", "Schmidt", "Vogel", "Wagner", "Weber",
    "Yılmaz",
];
const DUTCH_FIRST: &[&str] =
    &["Daan", "Femke", "Jeroen", "Lotte", "Maud", "Pieter", "Sander", "Sanne", "Tess", "Wout"];
const DUTCH_LAST: &[&str] = &["Claes", "De Smet", "Jacobs", "Maes", "Peeters", "Van den Berg", "Willems"];
const ENGLISH_FIRST: &[&str] = &[
    "Amelia", "Ava", "Ciarán", "George", "Grace", "Harry", "Isla", "Jack", "Maeve", "Noah", "Oliver",
    "Olivia", "Priya", "Zadie",
];
const ENGLISH_LAST: &[&str] = &[
    "Brown", "Davies", "Hughes", "Jones", "Nguyen", "O'Brien", "Patel", "Smith", "Taylor", "Walker", "Wilson",
];

/// How the companies among the contacts call themselves, before their city.
pub(super) const COMPANIES: &[&str] = &["Tennis Club", "Padel Center", "Sports Academy", "Racket School"];

/// How orders are paid.
pub(super) const PAYMENT_METHODS: &[&str] = &["card", "card", "card", "transfer", "voucher", "cash"];
/// How orders reach people.
pub(super) const DELIVERIES: &[&str] = &["home", "home", "pickup", "locker"];
/// Where orders are made.
pub(super) const CHANNELS: &[&str] = &["web", "web", "web", "app", "app", "shop"];

/// The domain of the shop's own people, whom its segments leave out.
pub(super) const OWN_DOMAIN: &str = "maison.example";
