//! README.md cannot drift: its commands are run in a fresh project, its YAML is checked, and its table
//! names the commands that there are.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::{NewProject, campaignd, command};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md")
}

/// The text of the blocks that are marked as `language`.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

#[test]
fn every_command_of_the_readme_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut place = folder.path().to_path_buf();
    let mut count = 0;
    for line in blocks("console").iter().flat_map(|block| block.lines()) {
        let words: Vec<&str> =
            line.strip_prefix("$ ").expect("a line of a console block is a command").split(' ').collect();
        match words.as_slice() {
            ["cd", to] => place = place.join(to),
            ["campaignd", "run"] => starts_and_stops(&place),
            ["campaignd", words @ ..] => {
                let said = campaignd(&place, words);
                assert_eq!(said.exit, 0, "{line}: {}{}", said.out, said.err);
            }
            _ => panic!("`{line}`: neither `cd` nor `campaignd`"),
        }
        count += 1;
    }
    assert!(count > 8, "the commands of the README are found");
}

fn starts_and_stops(folder: &Path) {
    let mut daemon = command(folder).arg("run").stderr(Stdio::piped()).spawn().expect("the daemon starts");
    let messages = BufReader::new(daemon.stderr.take().expect("its messages"));
    let mut lines = messages.lines().map(|line| line.expect("messages are text"));
    assert!(lines.any(|line| line.starts_with("ready")), "the daemon becomes ready");
    let killed = std::process::Command::new("kill").arg(daemon.id().to_string()).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert_eq!(daemon.wait().expect("the daemon ends").code(), Some(0), "{:?}", lines.collect::<Vec<_>>());
}

#[test]
fn the_first_campaign_of_the_readme_is_fine() {
    let project = NewProject::create();
    let yaml = blocks("yaml");
    assert_eq!(yaml[0].lines().count(), 10, "ten lines");
    project.write("campaigns/thank_you.yaml", &yaml[0]);
    project.write("templates/thank_you/subject.txt", "Thank you\n");
    project.write("templates/thank_you/body.html", &blocks("html")[0]);
    project.fine(["check", "--deny-warnings"]);
}

#[test]
fn the_readmes_table_names_the_commands_that_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = campaignd(folder.path(), ["--help"]).out;
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let mut there: Vec<&str> =
        commands.expect("commands").lines().filter_map(|line| line.split_whitespace().next()).collect();
    there.retain(|name| *name != "help");
    there.sort_unstable();
    let text = readme();
    let (_, table) = text.split_once("| command |").expect("the table of commands");
    let table = table.split("\n\n").next().expect("the table's end");
    let mut listed: Vec<&str> = table
        .lines()
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter_map(|code| code.split(' ').next())
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, there, "README.md on the left, `campaignd --help` on the right");
}
