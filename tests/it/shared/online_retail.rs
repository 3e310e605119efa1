//! The invoice lines of a real shop (UCI Online Retail) as contacts and `purchase` events, by the
//! recipe of docs/your-own-orders.md.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use campaignd::domain::number::Number;
use campaignd::domain::time::Timestamp;
use campaignd::ingest::{ConsentFlag, ImportOptions, RejectPattern, Summary, import_file};
use campaignd::store::Store;

use crate::ingest::{Folder, catalogue};
use crate::support::database::on_both;

/// What is declared of the shop.
pub(crate) const DECLARATIONS: &str = "\
attributes:
  country: text
events:
  purchase:
    properties:
      order: text
      product: text
      amount: number
";

/// The files that are imported.
#[derive(Debug, Clone)]
pub(crate) struct Converted {
    /// id, email, country.
    pub(crate) contacts: PathBuf,
    /// id, order, product, amount, at.
    pub(crate) orders: PathBuf,
}

/// The invoice lines: all 541,909.
pub(crate) fn whole(shared: &Path) -> impl Read {
    let path = shared.join("data/online-retail/online-retail.csv.gz");
    flate2::read::MultiGzDecoder::new(File::open(path).expect("the invoice lines are there"))
}

/// The invoice lines of 221 customers.
pub(crate) fn slice(shared: &Path) -> impl Read {
    let path = shared.join("data/online-retail/online-retail-mod20.csv");
    File::open(path).expect("the slice is there")
}

/// Turns invoice lines into files of contacts and of orders in `folder`, as the recipe does.
pub(crate) fn convert(lines: impl Read, folder: &Path) -> Converted {
    let converted = Converted { contacts: folder.join("contacts.csv"), orders: folder.join("orders.csv") };
    let mut countries: BTreeMap<String, String> = BTreeMap::new();
    let mut orders = csv::Writer::from_path(&converted.orders).expect("the orders can be written");
    orders.write_record(["id", "order", "product", "amount", "at"]).expect("the orders can be written");
    let mut reader = csv::Reader::from_reader(io::BufReader::new(lines));
    let names = reader.headers().expect("there is a header").clone();
    let column = |name: &str| names.iter().position(|other| other == name).expect("the column is there");
    let [order, product, quantity, at, price, customer, country] =
        ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
            .map(column);
    for line in reader.records() {
        let line = line.expect("the lines are CSV");
        let amount = amount(&line[quantity], &line[price]);
        orders
            .write_record([&line[customer], &line[order], &line[product], &amount, &line[at]])
            .expect("the orders can be written");
        if !line[customer].is_empty() {
            countries.insert(line[customer].to_owned(), line[country].to_owned());
        }
    }
    orders.flush().expect("the orders can be written");
    let mut contacts = csv::Writer::from_path(&converted.contacts).expect("the contacts can be written");
    contacts.write_record(["id", "email", "country"]).expect("the contacts can be written");
    for (id, country) in &countries {
        let email = format!("customer-{id}@shop.example");
        contacts.write_record([id, &email, country]).expect("the contacts can be written");
    }
    contacts.flush().expect("the contacts can be written");
    converted
}

fn amount(quantity: &str, price: &str) -> String {
    let quantity: i64 = quantity.parse().expect("a whole number");
    let price = Number::parse(price).expect("a price").millionths();
    Number::from_millionths(quantity * price).to_string()
}

/// Imports converted files as the recipe does: contacts, then orders.
pub(crate) async fn import(store: &Store, converted: &Converted, now: Timestamp) -> (Summary, Summary) {
    let catalogue = catalogue(DECLARATIONS);
    let london = ImportOptions::new(chrono_tz::Europe::London, now);
    let contacts = ImportOptions {
        consents: vec![ConsentFlag::parse("marketing=yes").expect("a consent")],
        source: Some("online shop".to_owned()),
        ..london.clone()
    };
    let orders = ImportOptions {
        event: Some("purchase".to_owned()),
        reject_where: vec![RejectPattern::parse("order=C*").expect("a pattern")],
        ..london
    };
    let contacts = import_file(store, &catalogue, &converted.contacts, &contacts, &mut |_| {}).await;
    let orders = import_file(store, &catalogue, &converted.orders, &orders, &mut |_| {}).await;
    (contacts.expect("the contacts are imported"), orders.expect("the orders are imported"))
}

/// 2011-12-10T09:00 in London.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_323_507_600);

/// Line by line, without anything that the import uses: lines, of which cancelled, without customer.
fn counted_by_hand(lines: impl Read) -> (u64, u64, u64) {
    let mut counted = (0, 0, 0);
    for line in csv::Reader::from_reader(lines).records() {
        let line = line.expect("the lines are CSV");
        counted.0 += 1;
        if line[0].starts_with('C') {
            counted.1 += 1;
        } else if line[6].is_empty() {
            counted.2 += 1;
        }
    }
    counted
}

#[test]
fn a_slice_of_the_shop_is_imported_and_accounted_for() {
    let Some(shared) = super::shared_folder() else { return };
    on_both(|database| {
        let shared = shared.clone();
        async move {
            let folder = Folder::new();
            let (lines, cancelled, nobody) = counted_by_hand(slice(&shared));
            let converted = convert(slice(&shared), folder.path());
            for again in [false, true] {
                let (contacts, orders) = import(&database.store, &converted, NOW).await;
                let created = if again { 0 } else { 221 };
                assert_eq!((contacts.contacts_created, contacts.rejected_rows()), (created, 0));
                assert_eq!((orders.rows, orders.rejected_rows()), (lines, cancelled + nobody));
                let bought = lines - cancelled - nobody;
                let (added, known) = if again { (0, bought) } else { (bought, 0) };
                assert_eq!((orders.events_added, orders.events_known), (added, known));
                let by_kind: Vec<_> = orders.rejected.into_iter().collect();
                assert_eq!(
                    by_kind,
                    [("`order` is rejected by --reject-where C*".to_owned(), cancelled)],
                    "each of the slice's lines has a customer"
                );
            }
            let rejects = std::fs::read_to_string(folder.path().join("orders.rejects.csv"));
            let rejects = rejects.expect("the rejects are there");
            assert_eq!(rejects.lines().count() as u64, 1 + cancelled + nobody);
            let first = "SELECT c.email, c.attributes, e.at, e.properties
                FROM event_log e JOIN contacts c ON c.external_id = e.external_id ORDER BY e.id LIMIT 1";
            assert_eq!(
                database.rows(first).await,
                [
                    r#"customer-15100@shop.example | {"country":"United Kingdom"} | 2010-12-01T09:09:00.000Z | {"order":"536374","product":"21258","amount":350.4}"#
                ]
            );
        }
    });
}

#[test]
fn the_whole_shop_is_converted() {
    let Some(shared) = super::shared_folder() else { return };
    let folder = Folder::new();
    let converted = convert(whole(&shared), folder.path());
    assert_eq!(counted_by_hand(whole(&shared)), (541_909, 9_288, 134_697));
    let rows = |path: &Path| std::fs::read_to_string(path).expect("it is there").lines().count() - 1;
    assert_eq!((rows(&converted.contacts), rows(&converted.orders)), (4_372, 541_909));
}

#[test]
fn the_recipe_of_the_page_makes_the_same_files() {
    let Some(shared) = super::shared_folder() else { return };
    let page = include_str!("../../../docs/your-own-orders.md");
    let (_, script) = page.split_once("```python\n").expect("the page has a script");
    let (script, _) = script.split_once("```").expect("the script ends");
    let (ours, theirs) = (Folder::new(), Folder::new());
    let converted = convert(slice(&shared), ours.path());
    theirs.write("convert.py", script);
    let lines = File::open(shared.join("data/online-retail/online-retail-mod20.csv"));
    let status = Command::new("python3")
        .arg("convert.py")
        .current_dir(theirs.path())
        .stdin(Stdio::from(lines.expect("the slice is there")))
        .status()
        .expect("python3 runs");
    assert!(status.success());
    for file in [&converted.contacts, &converted.orders] {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let rows = |text: String| text.replace('\r', "").lines().map(str::to_owned).collect::<Vec<_>>();
        let (mut ours, mut theirs) = (rows(ours.read(&name)), rows(theirs.read(&name)));
        ours.sort();
        theirs.sort();
        assert!(ours.len() > 100 && ours == theirs, "{name} differs");
    }
}
