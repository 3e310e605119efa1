//! User agents of crawlers, collected by others (monperrus/crawler-user-agents).

use campaignd::domain::engagement::Agent;

use crate::track::user_agents::agent;

#[test]
fn of_known_machines_98_in_100_are_machines() {
    let Some(shared) = super::shared_folder() else { return };
    let path = shared.join("corpora/user-agents/crawler-user-agents.json");
    let text = std::fs::read_to_string(path).expect("the corpus is read");
    let corpus: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let crawlers = corpus.as_array().expect("a list of crawlers");
    let instances = crawlers.iter().filter_map(|crawler| crawler["instances"].as_array()).flatten();
    let instances: Vec<&str> = instances.filter_map(|instance| instance.as_str()).collect();
    let missed: Vec<_> = instances.iter().filter(|instance| agent(instance) != Agent::Machine).collect();
    let share = 1.0 - missed.len() as f64 / instances.len() as f64;
    eprintln!("{} of {} machines are not read as such ({share:.4} are)", missed.len(), instances.len());
    assert!(instances.len() > 2_000 && share >= 0.98, "{missed:#?}");
}
